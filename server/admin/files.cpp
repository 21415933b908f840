// SPDX-License-Identifier: Apache-2.0
#include "admin/files.hpp"

#include "auth/random.hpp"

#include <gallery/bytes.hpp>
#include <gallery/files.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace gallery::admin {

outcome<std::string> read_file(const std::string& path) {
    const auto failed = [&path](exit_code code) {
        return failure{code, "'" + path + "' cannot be read: " + std::strerror(errno)};
    };
    // Not blocking, because opening a named pipe would wait for a writer.
    const file_handle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat about {};
    if (file.descriptor() < 0 || ::fstat(file.descriptor(), &about) != 0) {
        const bool is_missing = errno == ENOENT || errno == ENOTDIR;
        return failed(is_missing ? exit_code::not_found : exit_code::refused);
    }
    if (!S_ISREG(about.st_mode)) return failure{exit_code::refused, "'" + path + "' is not a file"};
    const auto size = static_cast<std::uint64_t>(about.st_size);
    if (size > largest_file) {
        return failure{exit_code::refused, "'" + path + "' has " + std::to_string(size) +
                                               " bytes, more than " + std::to_string(largest_file)};
    }
    auto content = read_all(file.descriptor(), largest_file);
    if (!content) return failed(exit_code::refused);
    return std::move(*content);
}

namespace {

std::string temporary_beside(const std::string& path) {
    return path.substr(0, path.size() - name_in_path(path).size()) + ".gallery-admin-" +
           auth::random_alphanumerics(12);
}

outcome<> reported(const result<void>& written) {
    if (!written) return failure{exit_code::output, written.error().message};
    return {};
}

}  // namespace

outcome<> write_file(const std::string& path, std::string_view content) {
    constexpr unsigned as_the_umask_has_it = 0666;
    return reported(gallery::replace_file(path, temporary_beside(path), content, as_the_umask_has_it));
}

outcome<> replace_file(const std::string& path, std::string_view content) {
    struct stat present {};
    if (::stat(path.c_str(), &present) != 0) {
        if (errno == ENOENT) return write_file(path, content);
        return failure{exit_code::output, "'" + path + "' cannot be replaced: " + std::strerror(errno)};
    }
    if (!S_ISREG(present.st_mode))
        return failure{exit_code::output, "'" + path + "' cannot be replaced, because it is not a file"};
    const file_access same{present.st_mode & 07777U, present.st_uid, present.st_gid};
    return reported(gallery::replace_file(path, temporary_beside(path), content, same));
}

std::string_view name_in_path(std::string_view path) noexcept {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace gallery::admin
