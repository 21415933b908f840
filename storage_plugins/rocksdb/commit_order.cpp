// SPDX-License-Identifier: Apache-2.0
#include "commit_order.hpp"

#include <utility>

namespace gallery::rocks {

commit_order::commit_order(revision used, revision newest, std::function<void(revision)> acknowledge)
    : visible_(used), newest_(newest), next_floor_(used + floor_step), acknowledge_(std::move(acknowledge)) {}

commit_order::ticket commit_order::begin(std::size_t count) {
    const std::lock_guard lock(mutex_);
    ticket made{visible_ + under_way_.size() + 1, count, std::nullopt};
    under_way_.insert(under_way_.end(), count, state::open);
    // The floor stays at least one step ahead, so that the revisions between two floors are covered even
    // if the write that carries the new one is the first to be lost.
    if (const revision last = made.rev + count - 1; last >= next_floor_) {
        made.new_floor = floor_after(last);
        next_floor_ = last + floor_step;
    }
    return made;
}

bool commit_order::finish(revision first, std::size_t count, bool committed) {
    std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < count; ++i)
        under_way_[first + i - visible_ - 1] = committed ? state::committed : state::failed;
    bool grown = false;
    bool advanced = false;
    while (!under_way_.empty() && under_way_.front() != state::open) {
        ++visible_;
        advanced = true;
        if (under_way_.front() == state::committed) {
            newest_ = visible_;
            grown = true;
        }
        under_way_.pop_front();
    }
    if (advanced) {
        acknowledge_(newest_);
        moved_.notify_all();
    }
    if (committed) moved_.wait(lock, [&] { return visible_ >= first + count - 1; });
    return grown;
}

revision commit_order::visible() const {
    const std::lock_guard lock(mutex_);
    return visible_;
}

revision commit_order::newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
}

revision commit_order::used() const {
    const std::lock_guard lock(mutex_);
    return visible_ + under_way_.size();
}

}  // namespace gallery::rocks
