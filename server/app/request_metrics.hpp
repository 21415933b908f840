// SPDX-License-Identifier: Apache-2.0
/// Counts requests by route. Each thread has its own counters, so counting costs a request some nanoseconds
/// and moves no cache line between cores.
#pragma once

#include "http/router.hpp"
#include "http/server.hpp"
#include "plugins/per_thread.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace gallery::app {

class request_metrics {
public:
    /// Upper bounds of the buckets of durations, in seconds.
    static constexpr std::array<double, 12> bounds{0.000'025, 0.000'05, 0.000'1, 0.000'25, 0.000'5, 0.001,
                                                   0.005,     0.025,    0.1,     0.5,      2.5,     10};
    /// The statuses that this server answers with; any other is counted under the last entry.
    static constexpr std::array<unsigned, 32> statuses{200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308,
                                                       400, 401, 403, 404, 405, 406, 408, 409, 411, 412, 413,
                                                       414, 415, 416, 417, 421, 429, 431, 500, 503, 507};

    request_metrics() = default;
    ~request_metrics();
    request_metrics(const request_metrics&) = delete;
    request_metrics& operator=(const request_metrics&) = delete;

    /// Before the first observe(): the routes that may come; they outlive this.
    void set_routes(const std::vector<const http::route*>& routes);

    /// Any I/O thread.
    void observe(const http::finished_exchange& e) noexcept;

    struct figures {
        std::string route;
        std::array<std::uint64_t, statuses.size() + 1> answers{};
        std::array<std::uint64_t, bounds.size() + 1> durations{};
        double seconds = 0;
        std::uint64_t bytes_in = 0;
        std::uint64_t bytes_out = 0;
        std::uint64_t incomplete = 0;  ///< the client disconnected
        std::uint64_t hot = 0;         ///< answered at the first try
    };
    /// Sums over all threads, only routes that were asked for.
    [[nodiscard]] std::vector<figures> read() const;

private:
    struct counters;
    /// Of one thread, a route each.
    struct shard {
        explicit shard(std::size_t routes);
        ~shard();
        std::vector<counters> all;
    };

    std::vector<std::string> names_;                          ///< the first is of requests without a route
    std::unordered_map<const char*, std::size_t> positions_;  ///< by where a route's name lies
    plugins::per_thread<shard> shards_;
};

}  // namespace gallery::app
