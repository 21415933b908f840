/// Threads and locks of the engine: pools for work that blocks, a gate that bounds the bytes of large
/// writes in memory, and locks striped over names.
#pragma once

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::rocks {

/// Calls @p work and turns an exception, which would be a bug or a lack of memory, into an error.
template <class Work>
std::invoke_result_t<Work&> guarded(Work&& work) noexcept {
    using outcome = std::invoke_result_t<Work&>;  // a result, or an optional one
    try {
        return work();
    } catch (const std::bad_alloc&) {
        return outcome(error{errc::busy, "Out of memory in the rocksdb plugin; try again later."});
    } catch (const std::exception& bug) {
        return outcome(error{errc::internal, std::string("rocksdb plugin: ") + bug.what()});
    }
}

/// Lets large writes into a pool only as far as a number of bytes is not exceeded; the others wait in
/// order, without a thread. A write larger than the whole number goes alone. Small ones pass at once.
class write_gate {
public:
    write_gate(asio::thread_pool& pool, std::uint64_t limit) : pool_(pool), limit_(limit) {}

    static constexpr std::uint64_t small = 256 * 1024;

    struct job {
        job() = default;
        job(const job&) = delete;
        job& operator=(const job&) = delete;
        virtual ~job() = default;
        /// Must not throw; posts its outcome to where it is awaited.
        virtual void run() noexcept = 0;
    };

    void submit(std::uint64_t size, std::unique_ptr<job> what) {
        if (size <= small) return start(0, std::move(what));
        {
            const std::lock_guard lock(mutex_);
            if (!waiting_.empty() || (in_flight_ != 0 && in_flight_ + size > limit_)) {
                waiting_.push_back({size, std::move(what)});
                return;
            }
            in_flight_ += size;
        }
        start(size, std::move(what));
    }

    [[nodiscard]] std::uint64_t waiting() const {
        const std::lock_guard lock(mutex_);
        return waiting_.size();
    }

private:
    struct queued {
        std::uint64_t size;
        std::unique_ptr<job> what;
    };

    void start(std::uint64_t size, std::unique_ptr<job> what) {
        asio::post(pool_, [this, size, what = std::move(what)]() mutable noexcept {
            what->run();
            what.reset();
            if (size != 0) leave(size);
        });
    }

    void leave(std::uint64_t size) {
        std::vector<queued> next;
        {
            const std::lock_guard lock(mutex_);
            in_flight_ -= size;
            while (!waiting_.empty() && (in_flight_ == 0 || in_flight_ + waiting_.front().size <= limit_)) {
                in_flight_ += waiting_.front().size;
                next.push_back(std::move(waiting_.front()));
                waiting_.pop_front();
            }
        }
        for (auto& each : next)
            start(each.size, std::move(each.what));
    }

    asio::thread_pool& pool_;
    const std::uint64_t limit_;
    mutable std::mutex mutex_;
    std::uint64_t in_flight_ = 0;
    std::deque<queued> waiting_;
};

/// As offload() of gallery/task.hpp, through a gate: @p size bytes are held while @p work runs. The work
/// itself is destroyed on the pool's thread, before its outcome is seen.
template <class Work>
task<std::invoke_result_t<Work&>> offload_through(write_gate& gate, std::uint64_t size, Work work) {
    using value = std::invoke_result_t<Work&>;
    auto initiate = [](auto handler, write_gate* through, std::uint64_t bytes, Work&& what) {
        using handler_type = decltype(handler);
        using executor_type = asio::associated_executor_t<handler_type>;
        struct gated final : write_gate::job {
            gated(handler_type h, Work&& w)
                : home(asio::make_work_guard(asio::get_associated_executor(h))),
                  handler(std::move(h)),
                  what(std::make_unique<Work>(std::move(w))) {}
            void run() noexcept override {
                value outcome = (*what)();
                what.reset();
                auto executor = home.get_executor();
                asio::post(executor, [handler = std::move(handler), home = std::move(home),
                                      outcome = std::move(outcome)]() mutable {
                    std::move(handler)(std::move(outcome));
                });
            }
            asio::executor_work_guard<executor_type> home;
            handler_type handler;
            std::unique_ptr<Work> what;
        };
        through->submit(bytes, std::make_unique<gated>(std::move(handler), std::move(what)));
    };
    write_gate* through = &gate;
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>, void(value)>(
        initiate, use_task, through, size, std::move(work));
}

/// Locks over names: two names may share one, so several are always taken together and in order.
class name_locks {
public:
    class held {
    public:
        explicit held(std::vector<std::unique_lock<std::mutex>> locks) : locks_(std::move(locks)) {}

    private:
        std::vector<std::unique_lock<std::mutex>> locks_;
    };

    [[nodiscard]] held lock(std::initializer_list<std::string_view> names) {
        std::vector<std::size_t> places;
        for (const auto name : names)
            places.push_back(std::hash<std::string_view>{}(name) % stripes_.size());
        std::sort(places.begin(), places.end());
        places.erase(std::unique(places.begin(), places.end()), places.end());
        std::vector<std::unique_lock<std::mutex>> locks;
        locks.reserve(places.size());
        for (const std::size_t place : places)
            locks.emplace_back(stripes_[place]);
        return held(std::move(locks));
    }

private:
    std::array<std::mutex, 1024> stripes_;
};

}  // namespace gallery::rocks
