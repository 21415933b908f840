// SPDX-License-Identifier: Apache-2.0
#include "commit_order.hpp"

#include <utility>

namespace gallery::rocks {

commit_order::commit_order(revision used, revision newest, std::function<void(revision)> acknowledge)
    : visible_(used), newest_(newest), next_floor_(used + floor_step), acknowledge_(std::move(acknowledge)) {}

commit_order::ticket commit_order::begin(std::size_t count) {
    const lock_guard lock(mutex_);
    ticket made{visible_ + in_progress_.size() + 1, count, std::nullopt};
    in_progress_.insert(in_progress_.end(), count, state::open);
    // The floor stays at least one step ahead, so that the revisions between two floors are covered even
    // if the write that carries the new one is the first to be lost.
    if (const revision last = made.rev + count - 1; last >= next_floor_) {
        made.new_floor = floor_after(last);
        next_floor_ = last + floor_step;
    }
    return made;
}

bool commit_order::finish(revision first, std::size_t count, bool committed) {
    const lock_guard lock(mutex_);
    for (std::size_t i = 0; i < count; ++i)
        in_progress_[first + i - visible_ - 1] = committed ? state::committed : state::failed;
    bool grown = false;
    bool advanced = false;
    while (!in_progress_.empty() && in_progress_.front() != state::open) {
        ++visible_;
        advanced = true;
        if (in_progress_.front() == state::committed) {
            newest_ = visible_;
            grown = true;
        }
        in_progress_.pop_front();
    }
    if (advanced) {
        acknowledge_(newest_);
        moved_.notify_all();
    }
    while (committed && visible_ < first + count - 1)
        moved_.wait(mutex_);
    return grown;
}

revision commit_order::visible() const {
    const lock_guard lock(mutex_);
    return visible_;
}

revision commit_order::newest() const {
    const lock_guard lock(mutex_);
    return newest_;
}

revision commit_order::used() const {
    const lock_guard lock(mutex_);
    return visible_ + in_progress_.size();
}

}  // namespace gallery::rocks
