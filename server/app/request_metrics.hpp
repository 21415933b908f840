/// Counts requests by route. Each thread has counters of its own, so that counting costs a request some
/// nanoseconds and no cache line goes back and forth.
#pragma once

#include "http/router.hpp"
#include "http/server.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace gallery::app {

class request_metrics {
public:
    /// Upper bounds of the buckets of durations, in seconds.
    static constexpr std::array<double, 12> bounds{0.000'025, 0.000'05, 0.000'1, 0.000'25, 0.000'5, 0.001,
                                                   0.005,     0.025,    0.1,     0.5,      2.5,     10};
    /// 304 apart from the others, since it is what this server is built for.
    static constexpr std::array<const char*, 6> classes{"1xx", "2xx", "304", "3xx", "4xx", "5xx"};

    request_metrics() noexcept;
    ~request_metrics();
    request_metrics(const request_metrics&) = delete;
    request_metrics& operator=(const request_metrics&) = delete;

    /// Before the first observe(): the routes that may come; they outlive this.
    void set_routes(const std::vector<const http::route*>& routes);

    /// Any I/O thread.
    void observe(const http::exchange& e) noexcept;

    struct figures {
        std::string route;
        std::array<std::uint64_t, classes.size()> answers{};
        std::array<std::uint64_t, bounds.size() + 1> durations{};
        double seconds = 0;
        std::uint64_t bytes_in = 0;
        std::uint64_t bytes_out = 0;
        std::uint64_t incomplete = 0;  ///< the client went away
        std::uint64_t hot = 0;         ///< answered at the first try
    };
    /// Sums over all threads, only routes that were asked for.
    [[nodiscard]] std::vector<figures> read() const;

private:
    struct counters;
    struct shard;
    shard& of_this_thread();

    const std::uint64_t serial_;
    std::vector<std::string> names_;                          ///< the first is of requests without a route
    std::unordered_map<const char*, std::size_t> positions_;  ///< by where a route's name lies
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<shard>> shards_;  ///< guarded by mutex_
};

}  // namespace gallery::app
