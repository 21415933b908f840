// SPDX-License-Identifier: Apache-2.0
#include "mirror/private_file.hpp"

#include <gallery/bytes.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gallery::mirror {

namespace {

error file_error(const std::string& what, const std::string& path) {
    return {errc::io_error, what + " " + path + ": " + std::strerror(errno)};
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

int open_folder_of(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path().string();
    return ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

error not_certain(const std::string& what, const std::string& path) {
    auto out = file_error(what + ", but may not be on the disk:", path);
    out.code = errc::unknown_outcome;
    return out;
}

}  // namespace

result<void> write_private_file(const std::string& path, std::string_view text) {
    const std::string temporary = path + ".new";
    // Before the file is replaced: after that, nothing may fail that need not.
    const file_handle folder(open_folder_of(path));
    if (folder.descriptor() < 0) return file_error("cannot create", temporary);
    static_cast<void>(::unlink(temporary.c_str()));
    const file_handle file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (file.descriptor() < 0) return file_error("cannot create", temporary);
    if (!write_all(file.descriptor(), text) || ::fsync(file.descriptor()) != 0)
        return file_error("cannot write", temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0) return file_error("cannot replace", path);
    if (::fsync(folder.descriptor()) != 0) return not_certain("the file was replaced", path);
    return {};
}

result<std::optional<std::string>> read_private_file(const std::string& path) {
    const file_handle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.descriptor() < 0 && errno == ENOENT) return std::optional<std::string>();
    if (file.descriptor() < 0) return file_error("cannot read", path);
    std::string text;
    std::array<char, 4096> part{};
    for (;;) {
        const auto got = ::read(file.descriptor(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return file_error("cannot read", path);
        if (got == 0) return std::optional<std::string>(std::move(text));
        text.append(part.data(), static_cast<std::size_t>(got));
    }
}

result<void> remove_private_file(const std::string& path) {
    const file_handle folder(open_folder_of(path));
    if (folder.descriptor() < 0) {
        if (errno == ENOENT) return {};
        return file_error("cannot remove", path);
    }
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT) return {};
        return file_error("cannot remove", path);
    }
    if (::fsync(folder.descriptor()) != 0) return not_certain("the file was removed", path);
    return {};
}

}  // namespace gallery::mirror
