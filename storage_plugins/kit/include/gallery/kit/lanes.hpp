// SPDX-License-Identifier: Apache-2.0
/// One operation at a time for each name, without blocking a thread.
#pragma once

#include <gallery/task.hpp>

#include <algorithm>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gallery::kit {

/// Thread-safe. Operations get a lane in order of arrival. Outlives its guards and waiting coroutines.
class lanes {
public:
    /// Holds a lane until destroyed, on any thread.
    class guard {
    public:
        guard() = default;
        guard(lanes& owner, std::string name) : owner_(&owner), name_(std::move(name)) {}
        guard(guard&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)), name_(std::move(other.name_)) {}
        guard& operator=(guard&& other) noexcept {
            std::swap(owner_, other.owner_);
            std::swap(name_, other.name_);
            return *this;
        }
        ~guard() {
            if (owner_ != nullptr) owner_->release(name_);
        }

    private:
        lanes* owner_ = nullptr;
        std::string name_;
    };

    task<guard> acquire(std::string name) {
        if (!try_acquire(name)) {
            auto wait = [this, &name](resumption<> waiter) { enqueue(name, std::move(waiter)); };
            co_await suspend(std::move(wait));
        }
        co_return guard(*this, std::move(name));
    }

    /// Several lanes: always acquired in the same order, so two operations never wait for each other. Names
    /// may repeat. Precondition: the caller holds no lane.
    task<std::vector<guard>> acquire_all(std::vector<std::string> names) {
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        std::vector<guard> held;
        held.reserve(names.size());
        for (auto& name : names) {
            auto lane = co_await acquire(std::move(name));
            held.push_back(std::move(lane));
        }
        co_return held;
    }

private:
    using waiters = std::deque<resumption<>>;

    bool try_acquire(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return held_.try_emplace(name).second;
    }

    void enqueue(const std::string& name, resumption<> waiter) {
        {
            const std::lock_guard lock(mutex_);
            const auto [lane, is_free] = held_.try_emplace(name);
            if (!is_free) {
                lane->second.push_back(std::move(waiter));
                return;
            }
        }
        waiter.complete();  // it became free in between, and the caller has it now
    }

    void release(const std::string& name) {
        std::unique_lock lock(mutex_);
        const auto lane = held_.find(name);
        if (lane->second.empty()) {
            held_.erase(lane);
            return;
        }
        auto next = std::move(lane->second.front());
        lane->second.pop_front();
        lock.unlock();
        next.complete();
    }

    std::mutex mutex_;
    std::unordered_map<std::string, waiters> held_;  ///< each lane that is held, with its waiting coroutines
};

}  // namespace gallery::kit
