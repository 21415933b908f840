// SPDX-License-Identifier: Apache-2.0
/// System calls that fail on demand, and a record of what was synchronised: the plugin is loaded into this
/// process and finds the functions of disk_fault.cpp before those of the C library.
#pragma once

#include <atomic>
#include <string>
#include <vector>

namespace gallery::contract {

enum class disk_call {
    open,    ///< of what is there
    create,  ///< of a file that is not there
    write,   ///< at a position
    sync,
    rename,  ///< by its new name
    remove,
    link,
    shorten,  ///< ftruncate
};

/// While it lives, calls of one kind on paths that contain @p part fail with @p error_number, but for the
/// first
/// @p spared. Any thread's.
class disk_fault {
public:
    disk_fault(disk_call which, std::string part, int error_number, unsigned spared = 0);
    disk_fault(const disk_fault&) = delete;
    disk_fault& operator=(const disk_fault&) = delete;
    ~disk_fault();

    /// How many have failed.
    [[nodiscard]] unsigned hits() const { return hits_; }

    /// 0: the call may go on. For the functions that stand in for the C library's.
    int error_for(disk_call which, const std::string& path);

private:
    const disk_call which_;
    const std::string part_;
    const int error_number_;
    std::atomic<unsigned> spared_;
    std::atomic<unsigned> hits_ = 0;
};

/// The paths of what is synchronised while it lives, in order.
class sync_record {
public:
    sync_record();
    sync_record(const sync_record&) = delete;
    sync_record& operator=(const sync_record&) = delete;
    ~sync_record();

    [[nodiscard]] std::vector<std::string> paths() const;
};

}  // namespace gallery::contract
