// SPDX-License-Identifier: Apache-2.0
/// A queue that serves tenants by the time that each has used, and not in the order of arrival.
///
/// The idea is fair queuing. A tenant is charged with the worker time of its items. The next item belongs to
/// the tenant with the fewest items in progress and, among those, the least time used. A tenant that returns
/// after a pause is placed just before the one with the least time of those present, so waiting earns no
/// credit. A tenant without waiting items or items in progress is therefore next when it arrives, whatever
/// others have queued, unless it has just used more than its share.
///
/// Cost: taking an item reads each waiting tenant. Time is an argument; nothing here reads a clock. Not
/// thread-safe.
#pragma once

#include <gallery/uuid.hpp>

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

namespace gallery::imaging {

template <class Item>
class fair_queue {
public:
    using duration = std::chrono::steady_clock::duration;

    fair_queue(std::size_t max_per_tenant, std::size_t max_items)
        : max_per_tenant_(max_per_tenant), max_items_(max_items) {}

    enum class room { yes, tenant_is_full, all_is_full };
    /// Whether push() may be called for @p who.
    [[nodiscard]] room room_for(const tenant_id& who) const {
        const auto found = tenants_.find(who);
        if (found != tenants_.end() && found->second.waiting.size() >= max_per_tenant_)
            return room::tenant_is_full;
        return size_ >= max_items_ ? room::all_is_full : room::yes;
    }

    void push(const tenant_id& who, Item item) {
        const auto least = least_used();
        const auto [entry, is_new] = tenants_.try_emplace(who);
        auto& t = entry->second;
        if (t.idle() && least) {
            const auto level = *least - duration(1);
            t.used = is_new ? level : std::max(t.used, level);
        }
        t.waiting.push_back(std::move(item));
        t.arrival.push_back(arrivals_++);
        ++size_;
    }

    /// The next item; its tenant is being served until done() is called for it.
    std::optional<Item> take() {
        tenant* best = nullptr;
        const auto rank = [](const tenant& t) { return std::tuple(t.running, t.used, t.arrival.front()); };
        for (auto& [id, t] : tenants_) {
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
    void done(const tenant_id& who, duration used) {
        const auto found = tenants_.find(who);
        if (found == tenants_.end() || found->second.running == 0) return;
        --found->second.running;
        found->second.used += used;
        // An idle tenant that has used no more than everybody present is not different from a new one.
        const auto least = least_used();
        std::erase_if(tenants_, [&](const auto& entry) {
            return entry.second.idle() && (!least || entry.second.used <= *least);
        });
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Tenants that something is remembered of.
    [[nodiscard]] std::size_t tenants() const noexcept { return tenants_.size(); }

    /// Everything that waits, in no particular order.
    std::vector<Item> clear() {
        std::vector<Item> out;
        for (auto& [id, t] : tenants_) {
            for (auto& item : t.waiting)
                out.push_back(std::move(item));
        }
        tenants_.clear();
        size_ = 0;
        return out;
    }

private:
    struct tenant {
        std::deque<Item> waiting;
        std::deque<std::uint64_t> arrival;
        unsigned running = 0;
        duration used{};

        [[nodiscard]] bool idle() const noexcept { return waiting.empty() && running == 0; }
    };

    [[nodiscard]] std::optional<duration> least_used() const {
        std::optional<duration> least;
        for (const auto& [id, t] : tenants_) {
            if (!t.idle() && (!least || t.used < *least)) least = t.used;
        }
        return least;
    }

    std::size_t max_per_tenant_;
    std::size_t max_items_;
    std::size_t size_ = 0;
    std::uint64_t arrivals_ = 0;
    std::map<tenant_id, tenant> tenants_;
};

}  // namespace gallery::imaging
