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

outcome<> write_file(const std::string& path, std::string_view content) {
    const auto folder = path.substr(0, path.size() - name_in_path(path).size());
    const auto temporary = folder + ".gallery-admin-" + auth::random_alphanumerics(12);
    const auto failed = [&path] {
        return failure{exit_code::output, "'" + path + "' cannot be written: " + reason()};
    };
    constexpr mode_t as_the_umask_has_it = 0666;
    descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, as_the_umask_has_it));
    if (file.get() < 0) return failed();
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
    auto why = failed();
    ::unlink(temporary.c_str());
    return why;
}

std::string_view name_in_path(std::string_view path) noexcept {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace gallery::admin
