// SPDX-License-Identifier: Apache-2.0
/// Counts requests by tenant, for a bounded number of tenants.
///
/// A tenant that is counted has a place in a table until the server ends; the first ones that come have the
/// places. All others are counted together. The table is read without a lock: a place is written once, before
/// it is marked as filled. Each thread has its own counters (plugins/per_thread.hpp), which are made at its
/// first request; no later request allocates.
#pragma once

#include "http/server.hpp"
#include "plugins/per_thread.hpp"

#include <gallery/uuid.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gallery::app {

class tenant_metrics {
public:
    /// @p most: tenants that are counted by themselves; 0: nothing is counted.
    explicit tenant_metrics(std::size_t most);
    ~tenant_metrics();
    tenant_metrics(const tenant_metrics&) = delete;
    tenant_metrics& operator=(const tenant_metrics&) = delete;

    [[nodiscard]] bool is_on() const noexcept { return most_ > 0; }

    /// Gives it a place, if there is one. Any thread.
    void add(const tenant_id& tenant) noexcept {
        if (most_ > 0) static_cast<void>(place_of(tenant));
    }

    /// Any I/O thread.
    void observe(const http::finished_exchange& e) noexcept {
        if (most_ > 0) count(e);
    }
    /// Precondition: is_on(). @p tenant: null if the request had no valid credentials. Such requests are
    /// counted with the other tenants.
    void count(const tenant_id* tenant, std::uint64_t sent) noexcept;

    struct figures {
        std::optional<tenant_id> tenant;  ///< empty: all others
        std::uint64_t requests = 0;
        std::uint64_t sent = 0;  ///< bytes of heads and bodies
    };
    /// Sums over all threads: each tenant that has a place, and last all others. Any thread.
    [[nodiscard]] std::vector<figures> read() const;

private:
    struct counters;
    /// Of one thread, one for each place, and the last one for all others.
    struct shard {
        explicit shard(std::size_t places);
        ~shard();
        std::vector<counters> all;
    };
    enum class filling : std::uint8_t { empty, in_progress, filled };
    struct place {
        std::atomic<filling> state{filling::empty};
        tenant_id tenant;  ///< valid if filled; never changes then
    };

    void count(const http::finished_exchange& e) noexcept;
    /// table_.size() for a tenant without a place.
    std::size_t place_of(const tenant_id& tenant) noexcept;

    const std::size_t most_;
    std::vector<place> table_;  ///< a power of two, at least twice most_; empty if off
    std::atomic<std::size_t> used_{0};
    plugins::per_thread<shard> shards_;
};

}  // namespace gallery::app
