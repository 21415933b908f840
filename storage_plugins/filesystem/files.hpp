// SPDX-License-Identifier: Apache-2.0
/// The system calls that the engine is made of, with errors as values. Paths are relative to an open folder
/// and their last part is never followed where it is a symbolic link. Any thread; all of them may block.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::file_store {

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

/// no_space for a full disk or quota, busy for a lack of descriptors or memory, not_found where a folder or
/// file is not there, else io_error. @p what says what was attempted, for instance "write to a/b".
error failure(const std::string& what, int error_number);

result<unique_fd> open_folder(int at, const std::string& path);
result<unique_fd> open_to_read(int at, const std::string& path);
/// A file that is not there yet.
result<unique_fd> create_file(int at, const std::string& path);

/// Makes a folder; true where it was not there.
result<bool> make_folder(int at, const std::string& path);

result<> write_all(int file, const char* data, std::size_t size, const std::string& name);
/// Error: unavailable, which nothing else here gives, where it is unknown what is on the disk now; no_space.
result<> sync(int file, const std::string& name);
result<> sync_folder(int at, const std::string& path);

/// Creates the file with these bytes and makes them durable; its name is not yet.
result<> write_file(int at, const std::string& path, const body& content);
result<> write_file(int at, const std::string& path, std::string_view content);

/// At most @p limit bytes; corrupt where there are more, not_found where there is no such file.
result<std::string> read_file(int at, const std::string& path, std::size_t limit = 1 << 20);

/// Fails where @p to is there; not_found where @p from is not. Atomic.
result<> rename_new(int at, const std::string& from, const std::string& to);
/// In place of a file that may be there. Atomic.
result<> rename_over(int at, const std::string& from, const std::string& to);
/// A second name for a file; a copy where the file system cannot. not_found where there is no such file.
result<> keep_file(int at, const std::string& path, const std::string& kept);
/// Exchanges two folders or files. Atomic. False where the file system cannot; not_found where one is not
/// there.
result<bool> exchange(int at, const std::string& one, const std::string& other);

bool exists(int at, const std::string& path);
result<> remove_file(int at, const std::string& path);
/// With all that is in it. Nothing to do where it is not there.
result<> remove_tree(int at, const std::string& path);

struct folder_entry {
    std::string name;
    bool is_folder = false;
    bool is_file = false;
};
/// Without "." and "..".
result<std::vector<folder_entry>> list_folder(int at, const std::string& path);

/// Writes a small file whole: temporary name in @p folder, sync, rename, sync of the folder.
result<> replace_file(int at, const std::string& folder, const std::string& name, std::string_view content);

}  // namespace gallery::file_store
