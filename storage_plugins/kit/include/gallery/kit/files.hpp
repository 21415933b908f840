// SPDX-License-Identifier: Apache-2.0
/// System calls of engines that store files, with errors as values. Paths are relative to an open folder. A
/// symbolic link as their last part is never followed. Any thread; all of them may block.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/sha256.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::kit::files {

class unique_fd {
public:
    explicit unique_fd(int descriptor = -1) noexcept : descriptor_(descriptor) {}
    unique_fd(unique_fd&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~unique_fd();

    [[nodiscard]] int get() const noexcept { return descriptor_; }
    [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

private:
    int descriptor_;
};

/// no_space for a full disk or quota, busy for a lack of descriptors or memory, not_found for a missing
/// folder or file, otherwise io_error. @p what names the attempted operation, for instance "write to a/b".
error failure(const std::string& what, int error_number);

result<unique_fd> open_folder(int at, const std::string& path);
result<unique_fd> open_to_read(int at, const std::string& path);
/// Fails if the file exists.
result<unique_fd> create_file(int at, const std::string& path);

/// Creates a folder; true if it did not exist.
result<bool> make_folder(int at, const std::string& path);

result<> write_all(int file, const char* data, std::size_t size, const std::string& name);
/// Error: unavailable if the state of the disk is unknown (no other function here returns it); no_space.
result<> sync(int file, const std::string& name);
result<> sync_folder(int at, const std::string& path);

/// Creates the file with these bytes and makes them durable, but not its name.
result<> write_file(int at, const std::string& path, const body& content);
result<> write_file(int at, const std::string& path, std::string_view content);

/// At most @p limit bytes; corrupt if there are more, not_found if the file does not exist.
result<std::string> read_file(int at, const std::string& path, std::size_t limit = 1 << 20);

/// The first @p size bytes of a file, or their SHA-256. Error: corrupt if the file has fewer.
result<bytes> read_bytes(int file, std::uint64_t size, const std::string& name);
result<sha256_digest> hash_file(int file, std::uint64_t size, const std::string& name);

/// Fails if @p to exists; not_found if @p from does not. Atomic.
result<> rename_new(int at, const std::string& from, const std::string& to);
/// Replaces a file that may exist. Atomic.
result<> rename_over(int at, const std::string& from, const std::string& to);
/// A second name for a file, or a copy if the file system has no links. not_found if there is no file.
result<> keep_file(int at, const std::string& path, const std::string& kept);
/// Exchanges two folders or files. Atomic. False if the file system does not support it; not_found if one
/// does not exist.
result<bool> exchange(int at, const std::string& one, const std::string& other);

bool exists(int at, const std::string& path);
result<> remove_file(int at, const std::string& path);
/// Removes it with its contents. Succeeds if it does not exist.
result<> remove_tree(int at, const std::string& path);

struct folder_entry {
    std::string name;
    bool is_folder = false;
    bool is_file = false;
};
/// Without "." and "..".
result<std::vector<folder_entry>> list_folder(int at, const std::string& path);

}  // namespace gallery::kit::files
