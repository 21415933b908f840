// SPDX-License-Identifier: Apache-2.0
#include "reserve.hpp"

#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <set>

namespace gallery::file_store {
namespace {

constexpr std::uint64_t block_unit = 512;  // of st_blocks

bool is_spare_name(const std::string& name) {
    return name.size() == 3 && name.find_first_not_of("0123456789") == std::string::npos &&
           std::stoul(name) < reserve::spare_files;
}

}  // namespace

result<> reserve::open() {
    auto made = make_folder(root_, folder_);
    if (!made) {
        // A store of an earlier version on a full disk has no reserve until there is space.
        if (made.error().code != errc::no_space) return made.error();
        return {};
    }
    auto entries = list_folder(root_, folder_);
    if (!entries) return entries.error();
    {
        const lock_guard lock(mutex_);
        for (const auto& entry : *entries) {
            struct stat info {};
            if (!entry.is_file || !is_spare_name(entry.name)) continue;
            if (::fstatat(root_, path_of(entry.name).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
            // After a crash the name may be there without the blocks.
            if (info.st_nlink == 1 && static_cast<std::uint64_t>(info.st_blocks) * block_unit >= spare_size)
                names_.push_back(entry.name);
            else
                (void)remove_file(root_, path_of(entry.name));
        }
        size_ = names_.size();
    }
    (void)refill();
    return {};
}

bool reserve::refill() {
    if (size_ == spare_files) return true;
    const lock_guard lock(mutex_);
    if (names_.size() == spare_files) return true;
    if (auto made = make_folder(root_, folder_); !made) return false;
    const std::set<std::string> present(names_.begin(), names_.end());
    for (std::size_t i = 0; i < spare_files; ++i) {
        std::array<char, 24> digits{};
        std::snprintf(digits.data(), digits.size(), "%03zu", i);
        const std::string name = digits.data();
        if (present.contains(name)) continue;
        if (!allocate(name)) return false;
        names_.push_back(name);
        size_ = names_.size();
    }
    return true;
}

/// A file of this name with its blocks; nothing where the disk has no room.
bool reserve::allocate(const std::string& name) {
    const auto path = path_of(name);
    auto file = create_file(root_, path);
    if (!file) return false;
    if (::fallocate(file->get(), FALLOC_FL_KEEP_SIZE, 0, spare_size) == 0) return true;
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
        const std::string zeros(spare_size, '\0');
        if (write_all(file->get(), zeros.data(), zeros.size(), path)) return true;
    }
    (void)remove_file(root_, path);
    return false;
}

/// The name of a spare file that is the caller's now; empty where no more than @p least_left are there.
std::string reserve::take(std::size_t least_left) {
    const lock_guard lock(mutex_);
    if (names_.size() <= least_left) return {};
    auto name = std::move(names_.back());
    names_.pop_back();
    size_ = names_.size();
    return name;
}

result<> reserve::write_file(const std::string& path, std::string_view text, part which) {
    const auto full = [&](const char* why) {
        return error{errc::no_space, "The disk of STORAGE_PATH is full, and " + path + ' ' + why +
                                         ". Erase images, or free space and inodes on it."};
    };
    if (text.size() > spare_size) return full("is too large for the reserve");
    const auto name = take(which == part::half ? spare_files / 2 : spare_files / 4 * 3);
    if (name.empty()) return full("may not use the rest of the reserve");
    const auto spare = path_of(name);
    const auto give_up = [&](error why) {
        (void)remove_file(root_, spare);
        return why;
    };
    unique_fd file(::openat(root_, spare.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file.get() < 0) return give_up(failure("Opening " + spare, errno));
    if (auto written = write_all(file.get(), text.data(), text.size(), spare); !written)
        return give_up(written.error());
    if (::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0)
        return give_up(failure("Shortening " + spare, errno));
    if (auto synced = sync(file.get(), spare); !synced) return give_up(synced.error());
    if (auto renamed = rename_new(root_, spare, path); !renamed) return give_up(renamed.error());
    return {};
}

bool reserve::release_one() {
    const auto name = take(0);
    return !name.empty() && remove_file(root_, path_of(name));
}

}  // namespace gallery::file_store
