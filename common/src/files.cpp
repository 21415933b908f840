// SPDX-License-Identifier: Apache-2.0
#include <gallery/files.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gallery {

namespace {

class descriptor {
public:
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int get() const noexcept { return number_; }
    /// Some file systems report only here that the disk is full.
    [[nodiscard]] bool close() noexcept { return ::close(std::exchange(number_, -1)) == 0; }

private:
    int number_;
};

/// errno describes the reason.
error failed(errc code, std::string_view what, const std::string& path) {
    return {code, std::string(what) + " '" + path + "': " + std::strerror(errno)};
}

int open_folder_of(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path().string();
    return ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

}  // namespace

std::optional<std::string> read_all(int file, std::uint64_t limit) {
    constexpr std::size_t smallest = 4096;
    struct stat about {};
    const bool has_size = ::fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0;
    const auto expected = has_size ? static_cast<std::uint64_t>(about.st_size) : 0;
    std::string content;
    std::size_t size = 0;
    for (;;) {
        // One byte more than expected, so that the end is found without another step.
        if (size == content.size())
            content.resize(std::max<std::size_t>({smallest, 2 * size, std::min(expected, limit) + 1}));
        const auto got = ::read(file, content.data() + size, content.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
        if (size > limit) {
            errno = EFBIG;
            return std::nullopt;
        }
    }
    content.resize(size);
    return content;
}

bool write_all(int file, std::string_view data) noexcept {
    while (!data.empty()) {
        const auto written = ::write(file, data.data(), data.size());
        if (written < 0 && errno == EINTR) continue;
        if (written == 0) errno = EIO;
        if (written <= 0) return false;
        data.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

result<std::string> read_file(const std::string& path, std::uint64_t limit) {
    constexpr std::string_view what = "cannot read";
    const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return failed(errno == ENOENT ? errc::not_found : errc::io_error, what, path);
    auto content = read_all(file.get(), limit);
    if (!content) return failed(errno == EFBIG ? errc::too_large : errc::io_error, what, path);
    return std::move(*content);
}

namespace {

result<void> replace(const std::string& path, const std::string& temporary, std::string_view content,
                     unsigned mode, const file_access* access) {
    // Opened before the file is replaced, so that only the last call can fail after that.
    const descriptor folder(open_folder_of(path));
    if (folder.get() < 0) return failed(errc::io_error, "cannot create", temporary);
    static_cast<void>(::unlink(temporary.c_str()));
    descriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_t{mode}));
    if (file.get() < 0) return failed(errc::io_error, "cannot create", temporary);
    if (access != nullptr && (::fchown(file.get(), access->owner, access->group) != 0 ||
                              ::fchmod(file.get(), access->mode) != 0)) {
        auto why = failed(errc::io_error, "cannot keep the owner, group and permissions of", path);
        static_cast<void>(::unlink(temporary.c_str()));
        return why;
    }
    // Synchronised first: otherwise the name could lead to an empty file after a power failure.
    const bool is_written = write_all(file.get(), content) && ::fsync(file.get()) == 0 && file.close();
    if (!is_written || ::rename(temporary.c_str(), path.c_str()) != 0) {
        auto why = is_written ? failed(errc::io_error, "cannot replace", path)
                              : failed(errc::io_error, "cannot write", temporary);
        static_cast<void>(::unlink(temporary.c_str()));
        return why;
    }
    if (::fsync(folder.get()) != 0)
        return failed(errc::unknown_outcome, "the file was replaced, but may not be on the disk:", path);
    return {};
}

}  // namespace

result<void> replace_file(const std::string& path, const std::string& temporary, std::string_view content,
                          unsigned mode) {
    return replace(path, temporary, content, mode, nullptr);
}

result<void> replace_file(const std::string& path, const std::string& temporary, std::string_view content,
                          const file_access& access) {
    constexpr unsigned of_the_owner = 0600;
    return replace(path, temporary, content, of_the_owner, &access);
}

result<void> remove_file(const std::string& path) {
    const descriptor folder(open_folder_of(path));
    if (folder.get() < 0 || ::unlink(path.c_str()) != 0) {
        if (errno == ENOENT) return {};
        return failed(errc::io_error, "cannot remove", path);
    }
    if (::fsync(folder.get()) != 0)
        return failed(errc::unknown_outcome, "the file was removed, but may not be on the disk:", path);
    return {};
}

}  // namespace gallery
