// SPDX-License-Identifier: Apache-2.0
#include "admin/files.hpp"

#include "auth/random.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gallery::admin {

namespace {

class descriptor {
public:
    explicit descriptor(int number) : number_(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int get() const noexcept { return number_; }
    /// Some file systems say only now that the disk is full.
    [[nodiscard]] bool close() noexcept { return ::close(std::exchange(number_, -1)) == 0; }

private:
    int number_;
};

std::string reason() {
    return std::strerror(errno);
}

}  // namespace

outcome<std::string> read_file(const std::string& path) {
    const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat about {};
    if (file.get() < 0 || ::fstat(file.get(), &about) != 0) {
        const bool missing = errno == ENOENT || errno == ENOTDIR;
        return failure{missing ? exit_code::not_found : exit_code::refused,
                       "'" + path + "' cannot be read: " + reason()};
    }
    if (!S_ISREG(about.st_mode)) return failure{exit_code::refused, "'" + path + "' is not a file"};
    const auto size = static_cast<std::uint64_t>(about.st_size);
    if (size > largest_file) {
        return failure{exit_code::refused, "'" + path + "' has " + std::to_string(size) +
                                               " bytes, more than " + std::to_string(largest_file)};
    }
    std::string content(size, '\0');
    std::size_t at = 0;
    while (at < content.size()) {
        const auto got = ::read(file.get(), content.data() + at, content.size() - at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure{exit_code::refused, "'" + path + "' cannot be read: " + reason()};
        if (got == 0) break;
        at += static_cast<std::size_t>(got);
    }
    content.resize(at);
    return content;
}

namespace {

std::string folder_of(const std::string& path) {
    return path.substr(0, path.size() - name_in_path(path).size());
}

failure cannot_write(const std::string& path) {
    return {exit_code::output, "'" + path + "' cannot be written: " + reason()};
}

/// With the owner, the group and the permissions of @p like, unless that is null. They are set before the
/// file has a content and a name, so that nobody else can read it for a moment.
outcome<> write_like(const std::string& path, std::string_view content, const struct stat* like) {
    const auto temporary = folder_of(path) + ".gallery-admin-" + auth::random_alphanumerics(12);
    constexpr mode_t as_the_umask_has_it = 0666;
    constexpr mode_t of_the_owner = 0600;
    constexpr mode_t permissions = 07777;
    descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                           like == nullptr ? as_the_umask_has_it : of_the_owner));
    if (file.get() < 0) return cannot_write(path);
    if (like != nullptr && (::fchown(file.get(), like->st_uid, like->st_gid) != 0 ||
                            ::fchmod(file.get(), like->st_mode & permissions) != 0)) {
        const failure why{
            exit_code::output,
            "'" + path + "' cannot be replaced, because its owner, group and permissions cannot be kept: " +
                reason() + ". Write to another file"};
        ::unlink(temporary.c_str());
        return why;
    }
    bool good = true;
    while (good && !content.empty()) {
        const auto written = ::write(file.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        good = written > 0;
        if (good) content.remove_prefix(static_cast<std::size_t>(written));
    }
    // After a power failure the name must not lead to an empty file.
    good = good && ::fsync(file.get()) == 0 && file.close();
    good = good && ::rename(temporary.c_str(), path.c_str()) == 0;
    if (good) return {};
    auto why = cannot_write(path);
    ::unlink(temporary.c_str());
    return why;
}

}  // namespace

outcome<> write_file(const std::string& path, std::string_view content) {
    return write_like(path, content, nullptr);
}

outcome<> replace_file(const std::string& path, std::string_view content) {
    struct stat present {};
    if (::stat(path.c_str(), &present) != 0) {
        return errno == ENOENT ? write_file(path, content) : outcome<>(cannot_write(path));
    }
    if (!S_ISREG(present.st_mode))
        return failure{exit_code::output, "'" + path + "' cannot be replaced, because it is not a file"};
    if (auto written = write_like(path, content, &present); !written) return written;
    const auto folder = folder_of(path);
    const descriptor names(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (names.get() < 0 || ::fsync(names.get()) != 0) {
        return failure{exit_code::output,
                       "'" + path + "' was replaced, but may not be on the disk: " + reason()};
    }
    return {};
}

std::string_view name_in_path(std::string_view path) noexcept {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace gallery::admin
