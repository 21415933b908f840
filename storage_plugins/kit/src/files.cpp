// SPDX-License-Identifier: Apache-2.0
#include <gallery/kit/files.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace gallery::kit::files {
namespace {

constexpr mode_t folder_mode = 0750;
constexpr mode_t file_mode = 0640;

template <class Call>
auto uninterrupted(Call call) {
    for (;;) {
        const auto got = call();
        if (got >= 0 || errno != EINTR) return got;
    }
}

/// At least one byte, at most @p size.
result<std::size_t> read_some(int file, char* into, std::uint64_t size, std::uint64_t from,
                              const std::string& name) {
    const auto got = uninterrupted([&] { return ::pread(file, into, size, static_cast<off_t>(from)); });
    if (got < 0) return failure("Reading " + name, errno);
    if (got == 0) return error{errc::corrupt, name + " ends too early."};
    return static_cast<std::size_t>(got);
}

}  // namespace

unique_fd::~unique_fd() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

error failure(const std::string& what, int error_number) {
    const std::string why = what + " failed: " + std::strerror(error_number);
    switch (error_number) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            return {errc::no_space,
                    why + ". Free space and inodes on the disk of STORAGE_PATH, or raise its quota."};
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            return {errc::busy,
                    why + ". Raise the limit of open files, or let the engine keep fewer files open."};
        case ENOENT:
        case ENOTDIR:
            return {errc::not_found, why + "."};
        default:
            return {errc::io_error, why + "."};
    }
}

result<unique_fd> open_folder(int at, const std::string& path) {
    unique_fd opened(uninterrupted(
        [&] { return ::openat(at, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW); }));
    if (opened.get() < 0) return failure("Opening the folder " + path, errno);
    return opened;
}

result<unique_fd> open_to_read(int at, const std::string& path) {
    unique_fd opened(
        uninterrupted([&] { return ::openat(at, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); }));
    if (opened.get() >= 0) return opened;
    if (errno == ENOENT || errno == ENOTDIR) return error{errc::not_found, "There is no file " + path + "."};
    if (errno == ELOOP)
        return error{errc::corrupt, path + " is a symbolic link and not a file of the store."};
    return failure("Opening " + path, errno);
}

result<unique_fd> create_file(int at, const std::string& path) {
    unique_fd opened(uninterrupted([&] {
        return ::openat(at, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, file_mode);
    }));
    if (opened.get() < 0) return failure("Creating " + path, errno);
    return opened;
}

result<bool> make_folder(int at, const std::string& path) {
    if (::mkdirat(at, path.c_str(), folder_mode) == 0) return true;
    if (errno == EEXIST) return false;
    return failure("Creating the folder " + path, errno);
}

result<> write_all(int file, const char* data, std::size_t size, const std::string& name) {
    while (size != 0) {
        const auto written = uninterrupted([&] { return ::write(file, data, size); });
        if (written < 0) return failure("Writing to " + name, errno);
        data += written;
        size -= static_cast<std::size_t>(written);
    }
    return {};
}

result<> sync(int file, const std::string& name) {
    if (uninterrupted([&] { return ::fsync(file); }) == 0) return {};
    auto why = failure("Synchronising " + name, errno);
    if (why.code != errc::no_space) why.code = errc::unavailable;
    return why;
}

result<> sync_folder(int at, const std::string& path) {
    auto folder = open_folder(at, path);
    if (!folder) return folder.error();
    return sync(folder->get(), path);
}

result<> write_file(int at, const std::string& path, std::string_view content) {
    auto file = create_file(at, path);
    if (!file) return file.error();
    if (auto written = write_all(file->get(), content.data(), content.size(), path); !written) return written;
    return sync(file->get(), path);
}

result<> write_file(int at, const std::string& path, const body& content) {
    if (const auto* memory = content.memory()) return write_file(at, path, memory->view());
    auto file = create_file(at, path);
    if (!file) return file.error();
    constexpr std::uint64_t chunk = 1 << 20;
    for (std::uint64_t done = 0; done < content.size();) {
        const auto part = content.slice(done, std::min(chunk, content.size() - done)).load();
        if (!part) return failure("Reading the bytes for " + path, errno);
        if (auto written = write_all(file->get(), part->data(), part->size(), path); !written) return written;
        done += part->size();
    }
    return sync(file->get(), path);
}

result<std::string> read_file(int at, const std::string& path, std::size_t limit) {
    auto file = open_to_read(at, path);
    if (!file) return file.error();
    struct stat info {};
    if (::fstat(file->get(), &info) != 0) return failure("Reading " + path, errno);
    if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) > limit)
        return error{errc::corrupt, path + " is too large, or not a regular file."};
    std::string text(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        const auto got =
            uninterrupted([&] { return ::read(file->get(), text.data() + done, text.size() - done); });
        if (got < 0) return failure("Reading " + path, errno);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    text.resize(done);
    return text;
}

result<bytes> read_bytes(int file, std::uint64_t size, const std::string& name) {
    std::vector<char> content(static_cast<std::size_t>(size));
    for (std::uint64_t done = 0; done < size;) {
        const auto got = read_some(file, content.data() + done, size - done, done, name);
        if (!got) return got.error();
        done += *got;
    }
    return bytes::own(std::move(content));
}

result<sha256_digest> hash_file(int file, std::uint64_t size, const std::string& name) {
    std::vector<char> piece(static_cast<std::size_t>(std::min<std::uint64_t>(size, 256 * 1024)));
    sha256_hasher hasher;
    for (std::uint64_t done = 0; done < size;) {
        const auto got =
            read_some(file, piece.data(), std::min<std::uint64_t>(piece.size(), size - done), done, name);
        if (!got) return got.error();
        hasher.update({piece.data(), *got});
        done += *got;
    }
    return hasher.finish();
}

result<> rename_new(int at, const std::string& from, const std::string& to) {
    if (::renameat2(at, from.c_str(), at, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == EINVAL || errno == ENOSYS) {
        // The caller alone writes under this name, so looking first is as good.
        if (exists(at, to))
            errno = EEXIST;
        else if (::renameat(at, from.c_str(), at, to.c_str()) == 0)
            return {};
    }
    if (errno == EEXIST || errno == ENOTEMPTY)
        return error{errc::io_error,
                     "There is a folder or file " + to +
                         " that does not belong to the store. Move it away, or restart the server."};
    return failure("Renaming " + from + " to " + to, errno);
}

result<> rename_over(int at, const std::string& from, const std::string& to) {
    if (::renameat(at, from.c_str(), at, to.c_str()) == 0) return {};
    return failure("Renaming " + from + " to " + to, errno);
}

result<> keep_file(int at, const std::string& path, const std::string& kept) {
    if (::linkat(at, path.c_str(), at, kept.c_str(), 0) == 0) return {};
    if (errno == ENOENT) return error{errc::not_found, "There is no file " + path + "."};
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
        return failure("Linking " + path + " to " + kept, errno);
    const auto text = read_file(at, path);
    if (!text) return text.error();
    return write_file(at, kept, std::string_view(*text));
}

result<bool> exchange(int at, const std::string& one, const std::string& other) {
    if (::renameat2(at, one.c_str(), at, other.c_str(), RENAME_EXCHANGE) == 0) return true;
    if (errno == EINVAL || errno == ENOSYS) return false;
    return failure("Exchanging " + one + " and " + other, errno);
}

bool exists(int at, const std::string& path) {
    struct stat info {};
    return ::fstatat(at, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

result<> remove_file(int at, const std::string& path) {
    if (::unlinkat(at, path.c_str(), 0) == 0 || errno == ENOENT) return {};
    return failure("Removing " + path, errno);
}

result<> remove_tree(int at, const std::string& path) {
    if (::unlinkat(at, path.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return failure("Removing " + path, errno);
    auto entries = list_folder(at, path);
    if (!entries) return entries.error();
    for (const auto& entry : *entries)
        if (auto removed = remove_tree(at, path + '/' + entry.name); !removed) return removed;
    if (::unlinkat(at, path.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    return failure("Removing the folder " + path, errno);
}

result<std::vector<folder_entry>> list_folder(int at, const std::string& path) {
    auto opened = open_folder(at, path);
    if (!opened) return opened.error();
    const int descriptor = opened->release();
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(descriptor), &::closedir);
    if (folder == nullptr) {
        ::close(descriptor);
        return failure("Reading the folder " + path, errno);
    }
    std::vector<folder_entry> entries;
    for (;;) {
        errno = 0;
        const auto* entry = ::readdir(folder.get());
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        auto type = entry->d_type;
        if (type == DT_UNKNOWN) {
            struct stat info {};
            if (::fstatat(descriptor, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
                type = S_ISDIR(info.st_mode) ? DT_DIR : S_ISREG(info.st_mode) ? DT_REG : DT_UNKNOWN;
            else if (errno != ENOENT)
                return failure("Reading the folder " + path, errno);
        }
        entries.push_back({std::string(name), type == DT_DIR, type == DT_REG});
    }
    if (errno != 0) return failure("Reading the folder " + path, errno);
    return entries;
}

}  // namespace gallery::kit::files
