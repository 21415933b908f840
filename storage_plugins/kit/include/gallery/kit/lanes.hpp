// SPDX-License-Identifier: Apache-2.0
/// One operation at a time for each name, without blocking a thread.
#pragma once

#include <gallery/async_mutex.hpp>
#include <gallery/mutex.hpp>
#include <gallery/task.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gallery::kit {

/// Thread-safe. Operations get a lane in order of arrival. Outlives its guards and waiting coroutines.
class lanes {
    /// Exists while an operation holds it or waits for it.
    struct lane {
        async_mutex mutex;
        std::size_t users = 0;  ///< guarded by the mutex of all lanes
    };
    using lane_map = std::unordered_map<std::string, lane>;

public:
    /// Holds a lane until destroyed, on any thread.
    class guard {
    public:
        guard() = default;
        guard(guard&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)),
              mine_(other.mine_),
              held_(std::move(other.held_)) {}
        guard& operator=(guard&& other) noexcept {
            std::swap(owner_, other.owner_);
            std::swap(mine_, other.mine_);
            std::swap(held_, other.held_);
            return *this;
        }
        ~guard() {
            held_ = {};  // before the lane may end
            if (owner_ != nullptr) owner_->leave(*mine_);
        }

    private:
        friend class lanes;
        guard(lanes& owner, lane_map::value_type& mine) noexcept : owner_(&owner), mine_(&mine) {}
        lanes* owner_ = nullptr;
        lane_map::value_type* mine_ = nullptr;
        async_mutex::guard held_;
    };

    task<guard> acquire(std::string name) {
        guard mine = enter(name);
        mine.held_ = mine.mine_->second.mutex.try_lock();
        if (!mine.held_) {
            auto held = co_await mine.mine_->second.mutex.lock();
            mine.held_ = std::move(held);
        }
        co_return mine;
    }

    /// Several lanes: always acquired in the same order, so two operations never wait for each other. Names
    /// may repeat. Precondition: the caller holds no lane.
    task<std::vector<guard>> acquire_all(std::vector<std::string> names) {
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        std::vector<guard> held;
        held.reserve(names.size());
        for (auto& name : names) {
            auto mine = co_await acquire(std::move(name));
            held.push_back(std::move(mine));
        }
        co_return held;
    }

private:
    guard enter(const std::string& name) {
        const lock_guard lock(mutex_);
        auto& mine = *all_.try_emplace(name).first;
        ++mine.second.users;
        return {*this, mine};
    }

    void leave(lane_map::value_type& mine) {
        const lock_guard lock(mutex_);
        if (--mine.second.users == 0) all_.erase(all_.find(mine.first));
    }

    mutex mutex_;
    lane_map all_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::kit
