// SPDX-License-Identifier: Apache-2.0
#include "disk_reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

namespace gallery::rocks {
namespace {

constexpr std::uint64_t largest_margin = 8ULL << 20;
constexpr std::uint64_t largest_step = 4ULL << 20;

}  // namespace

disk_reserve::~disk_reserve() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void disk_reserve::open(const std::string& path, std::uint64_t bytes) {
    path_ = path;
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    struct statvfs disk {};
    struct stat file {};
    if (descriptor_ < 0 || ::fstatvfs(descriptor_, &disk) != 0 || ::fstat(descriptor_, &file) != 0) return;
    const std::uint64_t total = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize;
    size_ = std::min(bytes, total / 8);
    margin_ = std::min(largest_margin, total / 32);
    step_ = std::min(largest_step, size_ / 8);
    low_water_ = margin_ / 8;
    // A file with holes reserves nothing. One that was longer belongs to another configuration.
    const std::uint64_t allocated = static_cast<std::uint64_t>(file.st_blocks) * 512;
    std::uint64_t length = std::min(static_cast<std::uint64_t>(file.st_size), size_);
    if (allocated < length) length = 0;
    held_.store(length, std::memory_order_relaxed);
    if (length != static_cast<std::uint64_t>(file.st_size)) {
        const lock_guard lock(mutex_);
        shorten_to(length);
    }
    complete();
}

bool disk_reserve::is_short() const {
    return held() < size_ || free_bytes() < 2 * margin_;
}

std::uint64_t disk_reserve::free_bytes() const {
    struct statvfs disk {};
    if (descriptor_ < 0 || ::fstatvfs(descriptor_, &disk) != 0) return ~std::uint64_t{0};
    return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

std::uint64_t disk_reserve::floor_of(reserve_share share) const noexcept {
    return share == reserve_share::all ? 0 : share == reserve_share::half ? size_ / 2 : size_;
}

bool disk_reserve::shorten_to(std::uint64_t length) {
    if (::ftruncate(descriptor_, static_cast<off_t>(length)) != 0) return false;
    held_.store(length, std::memory_order_relaxed);
    return true;
}

bool disk_reserve::admit(std::uint64_t bytes, reserve_share share) {
    if (descriptor_ < 0) return true;
    const bool is_complete = complete();
    const std::uint64_t free = free_bytes();
    if (share == reserve_share::none) return is_complete && free >= bytes + margin_;
    if (has_free(bytes)) return true;
    const lock_guard lock(mutex_);
    const std::uint64_t floor = floor_of(share);
    const std::uint64_t left = held();
    // Erasures continue without a reserve, because they need little space.
    if (left <= floor) return share == reserve_share::all || size_ == 0;
    const std::uint64_t wanted = std::max(step_, bytes + low_water_);
    shorten_to(left - floor > wanted ? left - wanted : floor);
    return true;
}

bool disk_reserve::has_free(std::uint64_t bytes) const {
    return free_bytes() >= bytes + low_water_;
}

bool disk_reserve::release(reserve_share share) {
    if (descriptor_ < 0) return false;
    const lock_guard lock(mutex_);
    const std::uint64_t floor = floor_of(share);
    return held() > floor && shorten_to(floor);
}

bool disk_reserve::complete() {
    if (held() >= size_) return true;
    const lock_guard lock(mutex_);
    const std::uint64_t left = held();
    if (left >= size_) return true;
    // What stays free is more than makes a small write release something again.
    const std::uint64_t free = free_bytes();
    if (free < margin_ + step_) return false;
    const std::uint64_t more = std::min(size_ - left, free - margin_);
    if (::posix_fallocate(descriptor_, static_cast<off_t>(left), static_cast<off_t>(more)) != 0) {
        shorten_to(left);
        return false;
    }
    held_.store(left + more, std::memory_order_relaxed);
    return left + more == size_;
}

}  // namespace gallery::rocks
