/// One operation at a time for each name, without blocking a thread.
#pragma once

#include "resume.hpp"

#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

namespace gallery::file_store {

/// Thread-safe. Whoever waits for a lane gets it in order of arrival.
class lanes {
public:
    /// Holds a lane until destroyed.
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
            auto wait = [this, &name](resumption<bool> waiter) { enqueue(name, std::move(waiter)); };
            (void)co_await suspend<bool>(std::move(wait));
        }
        co_return guard(*this, std::move(name));
    }

private:
    using waiters = std::deque<resumption<bool>>;

    bool try_acquire(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return held_.try_emplace(name).second;
    }

    void enqueue(const std::string& name, resumption<bool> waiter) {
        {
            const std::lock_guard lock(mutex_);
            const auto [lane, is_free] = held_.try_emplace(name);
            if (!is_free) {
                lane->second.push_back(std::move(waiter));
                return;
            }
        }
        waiter.complete(true);  // it became free in between and is now ours
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
        next.complete(true);
    }

    std::mutex mutex_;
    std::unordered_map<std::string, waiters> held_;  ///< each lane that somebody has, with who waits for it
};

}  // namespace gallery::file_store
