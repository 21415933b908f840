// SPDX-License-Identifier: Apache-2.0
/// A status that one thread changes and others read. Any thread.
#pragma once

#include <gallery/mutex.hpp>

namespace gallery::mirror {

template <class Status>
class shared_status {
public:
    template <class How>
    void change(How how) {
        const lock_guard lock(mutex_);
        how(status_);
    }
    [[nodiscard]] Status read() const {
        const lock_guard lock(mutex_);
        return status_;
    }

private:
    mutable mutex mutex_;
    Status status_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::mirror
