// SPDX-License-Identifier: Apache-2.0
/// Ends writing after a synchronisation of the disk has failed.
#pragma once

#include <gallery/error.hpp>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::file_store {

/// After a failed fsync the kernel may drop what it could not write and report success the next time, so that
/// nobody knows what is on the disk. Only reading the tree again, at the next start, tells. Thread-safe.
class write_stop {
public:
    /// @p log is called once, with the reason.
    explicit write_stop(std::function<void(std::string_view)> log) : log_(std::move(log)) {}

    /// The first call counts. @p failure says what failed.
    void set(std::string_view failure) {
        const std::lock_guard lock(mutex_);
        if (is_set_) return;
        reason_ = std::string(failure) +
                  " Writing has stopped, because it is unknown what reached the disk. Reads go on. Check the "
                  "disk, then restart the server, which recovers the store.";
        is_set_ = true;
        log_(reason_);
    }

    [[nodiscard]] bool is_set() const noexcept { return is_set_; }

    /// Empty where it is not set.
    [[nodiscard]] std::string reason() const {
        if (!is_set_) return {};
        const std::lock_guard lock(mutex_);
        return reason_;
    }

private:
    std::function<void(std::string_view)> log_;
    std::atomic<bool> is_set_ = false;
    mutable std::mutex mutex_;
    std::string reason_;
};

}  // namespace gallery::file_store
