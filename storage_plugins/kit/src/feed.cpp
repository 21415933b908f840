// SPDX-License-Identifier: Apache-2.0
#include <gallery/kit/feed.hpp>

#include <gallery/kit/rules.hpp>

#include <algorithm>
#include <utility>

namespace gallery::kit {

void feed::begin_after(revision rev) {
    const lock_guard lock(mutex_);
    floor_ = rev;
}

void feed::clear_to(revision rev, std::vector<change> later) {
    const lock_guard lock(mutex_);
    changes_.assign(std::make_move_iterator(later.begin()), std::make_move_iterator(later.end()));
    floor_ = rev;
    trim();
}

void feed::append(change entry) {
    const lock_guard lock(mutex_);
    changes_.push_back(std::move(entry));
    trim();
}

void feed::append(std::vector<change> entries) {
    const lock_guard lock(mutex_);
    for (auto& entry : entries)
        changes_.push_back(std::move(entry));
    trim();
}

void feed::trim() {
    if (changes_.size() <= 2 * keep_) return;
    const auto drop = static_cast<std::ptrdiff_t>(changes_.size() - keep_);
    floor_ = changes_[static_cast<std::size_t>(drop - 1)].rev;
    changes_.erase(changes_.begin(), changes_.begin() + drop);
}

result<change_batch> feed::after(revision rev, std::size_t limit) const {
    if (limit == 0) return bad_limit();
    const auto began = std::chrono::steady_clock::now();
    const lock_guard lock(mutex_);
    change_batch batch;
    batch.gap = rev < floor_;
    const auto begin = std::upper_bound(changes_.begin(), changes_.end(), rev,
                                        [](revision wanted, const change& c) { return wanted < c.rev; });
    const auto count = std::min(limit, static_cast<std::size_t>(changes_.end() - begin));
    batch.changes.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    batch.next = !batch.changes.empty() ? batch.changes.back().rev : std::max(rev, floor_);
    if (begin + static_cast<std::ptrdiff_t>(count) == changes_.end()) batch.horizon = began;
    return batch;
}

revision feed::last() const {
    const lock_guard lock(mutex_);
    return changes_.empty() ? floor_ : changes_.back().rev;
}

std::size_t feed::size() const {
    const lock_guard lock(mutex_);
    return changes_.size();
}

}  // namespace gallery::kit
