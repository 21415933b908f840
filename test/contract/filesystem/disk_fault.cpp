// SPDX-License-Identifier: Apache-2.0
#include "disk_fault.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace gallery::contract {
namespace {

// Never destroyed: threads of the store may still be in a call when the process ends.
struct state {
    std::mutex mutex;
    std::vector<disk_fault*> faults;
    bool records = false;
    std::vector<std::string> synchronised;
};

state& the_state() {
    static auto* const one = new state;
    return *one;
}

int error_for(disk_call which, const std::string& path) {
    auto& all = the_state();
    const std::lock_guard lock(all.mutex);
    if (which == disk_call::sync && all.records) all.synchronised.push_back(path);
    for (auto* fault : all.faults)
        if (const int number = fault->error_for(which, path); number != 0) return number;
    return 0;
}

std::string path_of(int descriptor) {
    std::array<char, 4096> path{};
    const auto link = "/proc/self/fd/" + std::to_string(descriptor);
    const auto size = ::readlink(link.c_str(), path.data(), path.size());
    return {path.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

/// Whether the call is to fail; errno is set then.
bool fails(disk_call which, const std::string& path) {
    const int number = error_for(which, path);
    if (number == 0) return false;
    errno = number;
    return true;
}

}  // namespace

disk_fault::disk_fault(disk_call which, std::string part, int error_number, unsigned spared)
    : which_(which), part_(std::move(part)), error_number_(error_number), spared_(spared) {
    auto& all = the_state();
    const std::lock_guard lock(all.mutex);
    all.faults.push_back(this);
}

disk_fault::~disk_fault() {
    auto& all = the_state();
    const std::lock_guard lock(all.mutex);
    std::erase(all.faults, this);
}

int disk_fault::error_for(disk_call which, const std::string& path) {
    if (which != which_) return 0;
    const bool is_end = part_.ends_with('$');
    if (is_end ? !path.ends_with(part_.substr(0, part_.size() - 1)) : path.find(part_) == std::string::npos)
        return 0;
    if (spared_ != 0) {
        --spared_;
        return 0;
    }
    ++hits_;
    return error_number_;
}

sync_record::sync_record() {
    auto& all = the_state();
    const std::lock_guard lock(all.mutex);
    all.records = true;
    all.synchronised.clear();
}

sync_record::~sync_record() {
    auto& all = the_state();
    const std::lock_guard lock(all.mutex);
    all.records = false;
}

std::vector<std::string> sync_record::paths() const {
    auto& all = the_state();
    const std::lock_guard lock(all.mutex);
    return all.synchronised;
}

}  // namespace gallery::contract

// In the place of the C library's.
#pragma GCC visibility push(default)
extern "C" {

using gallery::contract::disk_call;
using gallery::contract::fails;
using gallery::contract::path_of;

int openat(int at, const char* path, int flags, ...) {
    std::va_list rest;
    va_start(rest, flags);
    const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : mode_t{0};
    va_end(rest);
    if (fails((flags & O_EXCL) != 0 ? disk_call::create : disk_call::open, path)) return -1;
    return static_cast<int>(::syscall(SYS_openat, at, path, flags, mode));
}

int fsync(int descriptor) {
    if (fails(disk_call::sync, path_of(descriptor))) return -1;
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int fdatasync(int descriptor) {
    if (fails(disk_call::sync, path_of(descriptor))) return -1;
    return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t position) {
    if (fails(disk_call::write, path_of(descriptor))) return -1;
    return ::syscall(SYS_pwrite64, descriptor, data, size, position);
}

int ftruncate(int descriptor, off_t size) noexcept {
    if (fails(disk_call::shorten, path_of(descriptor))) return -1;
    return static_cast<int>(::syscall(SYS_ftruncate, descriptor, size));
}

int renameat(int from_at, const char* from, int to_at, const char* to) noexcept {
    if (fails(disk_call::rename, to)) return -1;
    return static_cast<int>(::syscall(SYS_renameat2, from_at, from, to_at, to, 0U));
}

int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) noexcept {
    if (fails(disk_call::rename, to)) return -1;
    return static_cast<int>(::syscall(SYS_renameat2, from_at, from, to_at, to, flags));
}

int linkat(int from_at, const char* from, int to_at, const char* to, int flags) noexcept {
    if (fails(disk_call::link, from)) return -1;
    return static_cast<int>(::syscall(SYS_linkat, from_at, from, to_at, to, flags));
}

int unlinkat(int at, const char* path, int flags) noexcept {
    if (fails(disk_call::remove, path)) return -1;
    return static_cast<int>(::syscall(SYS_unlinkat, at, path, flags));
}

}  // extern "C"
#pragma GCC visibility pop
