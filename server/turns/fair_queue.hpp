// SPDX-License-Identifier: Apache-2.0
/// A queue that serves its users by the time that each has used, and not in the order of arrival.
///
/// A @p Key identifies a user: a tenant, the network of a client. The idea is fair queuing. A user is
/// charged with the working time of its items. The next item belongs to the user with the fewest items in
/// progress and, among those, the least time used. A user who returns after a pause is placed just before the
/// one with the least time of those present, so waiting earns no credit. A user without waiting items or
/// items in progress is therefore next when it arrives, whatever others have queued, unless it has just used
/// more than its share.
///
/// Cost: taking an item reads each waiting user. Time is an argument; nothing here reads a clock. Not
/// thread-safe. Preconditions: Key has operator<.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace gallery {

template <class Key, class Item>
class fair_queue {
public:
    using duration = std::chrono::steady_clock::duration;

    fair_queue(std::size_t max_per_user, std::size_t max_items)
        : max_per_user_(max_per_user), max_items_(max_items) {}

    /// Items that wait already stay, also where there are more of them than that.
    void set_limits(std::size_t max_per_user, std::size_t max_items) noexcept {
        max_per_user_ = max_per_user;
        max_items_ = max_items;
    }

    enum class room { yes, user_is_full, all_is_full };
    /// Whether push() may be called for @p who.
    [[nodiscard]] room room_for(const Key& who) const {
        const auto found = users_.find(who);
        if (found != users_.end() && found->second.waiting.size() >= max_per_user_) return room::user_is_full;
        return size_ >= max_items_ ? room::all_is_full : room::yes;
    }

    void push(const Key& who, Item item) {
        const auto least = least_used();
        const auto [entry, is_new] = users_.try_emplace(who);
        auto& t = entry->second;
        if (t.idle() && least) {
            const auto level = *least - duration(1);
            t.used = is_new ? level : std::max(t.used, level);
        }
        t.waiting.push_back(std::move(item));
        t.arrival.push_back(arrivals_++);
        ++size_;
    }

    /// The next item; its user is being served until done() is called for it.
    std::optional<Item> take() {
        user* best = nullptr;
        const auto rank = [](const user& t) { return std::tuple(t.running, t.used, t.arrival.front()); };
        for (auto& [id, t] : users_) {
            if (!t.waiting.empty() && (best == nullptr || rank(t) < rank(*best))) best = &t;
        }
        if (best == nullptr) return std::nullopt;
        std::optional<Item> out(std::move(best->waiting.front()));
        best->waiting.pop_front();
        best->arrival.pop_front();
        ++best->running;
        --size_;
        return out;
    }

    /// An item of @p who that was taken is finished and took @p used of a worker.
    void done(const Key& who, duration used) {
        const auto found = users_.find(who);
        if (found == users_.end() || found->second.running == 0) return;
        --found->second.running;
        found->second.used += used;
        // An idle user who has used no more than everybody present is not different from a new one.
        const auto least = least_used();
        std::erase_if(users_, [&](const auto& entry) {
            return entry.second.idle() && (!least || entry.second.used <= *least);
        });
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Users that something is remembered of.
    [[nodiscard]] std::size_t users() const noexcept { return users_.size(); }

    /// Everything that waits, in no particular order.
    std::vector<Item> clear() {
        std::vector<Item> out;
        for (auto& [id, t] : users_) {
            for (auto& item : t.waiting)
                out.push_back(std::move(item));
        }
        users_.clear();
        size_ = 0;
        return out;
    }

private:
    struct user {
        std::deque<Item> waiting;
        std::deque<std::uint64_t> arrival;
        unsigned running = 0;
        duration used{};

        [[nodiscard]] bool idle() const noexcept { return waiting.empty() && running == 0; }
    };

    [[nodiscard]] std::optional<duration> least_used() const {
        std::optional<duration> least;
        for (const auto& [id, t] : users_) {
            if (!t.idle() && (!least || t.used < *least)) least = t.used;
        }
        return least;
    }

    std::size_t max_per_user_;
    std::size_t max_items_;
    std::size_t size_ = 0;
    std::uint64_t arrivals_ = 0;
    std::map<Key, user> users_;
};

}  // namespace gallery
