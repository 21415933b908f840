// SPDX-License-Identifier: Apache-2.0
/// The limit of the requests of each client address, for requests without a login.
#pragma once

#include "auth/network.hpp"
#include "auth/request_rate.hpp"

#include <gallery/bounded_lru.hpp>
#include <gallery/mutex.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gallery::auth {

/// Some rates, all of which apply to each client at once. All members may be called by any thread. Clients
/// are spread over shards with a lock each, so that threads rarely wait for each other. A client that is
/// known costs no allocation. Those that came longest ago are forgotten first, which gives them full buckets.
class client_limit {
public:
    using clock = request_rate::clock;

    /// Preconditions: @p rates is not empty; @p max_clients >= shard_count. A client takes about 150 bytes.
    explicit client_limit(std::vector<request_rate> rates, std::size_t max_clients = 65'536);

    /// Takes one request of each rate. A value: nothing was taken; a request may be allowed after so many
    /// seconds.
    [[nodiscard]] std::optional<std::uint32_t> take(const network_key& client, clock::time_point now);

    [[nodiscard]] const std::vector<request_rate>& rates() const noexcept { return rates_; }

    static constexpr std::size_t shard_count = 16;

private:
    struct key_hash {
        std::size_t operator()(const network_key& of) const noexcept;
    };
    using times = std::vector<std::int64_t>;  ///< of each rate (request_rate)
    struct alignas(64) shard {
        mutex lock;
        bounded_lru<network_key, times, key_hash> clients GALLERY_GUARDED_BY(lock){0};
    };

    const std::vector<request_rate> rates_;
    std::array<shard, shard_count> shards_;
};

}  // namespace gallery::auth
