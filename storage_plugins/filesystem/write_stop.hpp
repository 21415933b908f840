// SPDX-License-Identifier: Apache-2.0
/// Stops writing after a synchronisation of the disk has failed.
#pragma once

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::file_store {

/// After a failed fsync the kernel may discard the data and report success for the next call, so the state of
/// the disk is unknown. Only reading the tree at the next start shows it. Thread-safe.
class write_stop {
public:
    /// @p log is called once, with the reason.
    explicit write_stop(std::function<void(std::string_view)> log) : log_(std::move(log)) {}

    /// Only the first call has an effect. @p failure describes the failure.
    void set(std::string_view failure) {
        const lock_guard lock(mutex_);
        if (is_set_) return;
        reason_ =
            std::string(failure) +
            " Writing has stopped, because the state of the disk is unknown. Reading continues. Check the "
            "disk, then restart the server, which recovers the store.";
        is_set_ = true;
        log_(reason_);
    }

    [[nodiscard]] bool is_set() const noexcept { return is_set_; }

    /// Empty if it is not set.
    [[nodiscard]] std::string reason() const {
        if (!is_set_) return {};
        const lock_guard lock(mutex_);
        return reason_;
    }

private:
    std::function<void(std::string_view)> log_;
    std::atomic<bool> is_set_ = false;
    mutable mutex mutex_;
    std::string reason_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::file_store
