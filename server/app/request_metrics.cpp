// SPDX-License-Identifier: Apache-2.0
#include "app/request_metrics.hpp"

namespace gallery::app {

namespace {

using plugins::add_alone;

constexpr unsigned least_status = 100;
constexpr unsigned most_status = 599;

/// Where each status has its counter.
constexpr auto positions = [] {
    std::array<std::uint8_t, most_status - least_status + 1> table{};
    table.fill(request_metrics::statuses.size());
    for (std::size_t i = 0; i < request_metrics::statuses.size(); ++i)
        table[request_metrics::statuses[i] - least_status] = static_cast<std::uint8_t>(i);
    return table;
}();

std::size_t position_of(unsigned status) noexcept {
    const bool known = status >= least_status && status <= most_status;
    return known ? positions[status - least_status] : request_metrics::statuses.size();
}

}  // namespace

struct request_metrics::counters {
    std::array<std::atomic<std::uint64_t>, statuses.size() + 1> answers{};
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> durations{};
    std::atomic<std::uint64_t> nanoseconds{0};
    std::atomic<std::uint64_t> bytes_in{0};
    std::atomic<std::uint64_t> bytes_out{0};
    std::atomic<std::uint64_t> incomplete{0};
    std::atomic<std::uint64_t> hot{0};
};

request_metrics::shard::shard(std::size_t routes) : all(routes) {}
request_metrics::shard::~shard() = default;
request_metrics::~request_metrics() = default;

void request_metrics::set_routes(const std::vector<const http::route*>& routes) {
    names_.assign(1, "");
    positions_.clear();
    std::unordered_map<std::string_view, std::size_t> known;
    for (const auto* route : routes) {
        const auto [at, fresh] = known.try_emplace(route->options.name, names_.size());
        if (fresh) names_.emplace_back(route->options.name);
        positions_[route->options.name.data()] = at->second;
    }
}

void request_metrics::observe(const http::finished_exchange& e) noexcept {
    if (names_.empty()) return;
    const auto at = positions_.find(e.route.data());
    counters& c = shards_.mine(names_.size()).all[at == positions_.end() ? 0 : at->second];
    add_alone(c.answers[position_of(e.status)], 1);
    const auto nanoseconds = static_cast<std::uint64_t>(e.duration.count());
    std::size_t bucket = 0;
    while (bucket < bounds.size() && static_cast<double>(nanoseconds) > bounds[bucket] * 1e9)
        ++bucket;
    add_alone(c.durations[bucket], 1);
    add_alone(c.nanoseconds, nanoseconds);
    add_alone(c.bytes_in, e.bytes_in);
    add_alone(c.bytes_out, e.bytes_out);
    if (!e.complete) add_alone(c.incomplete, 1);
    if (e.hot) add_alone(c.hot, 1);
}

std::vector<request_metrics::figures> request_metrics::read() const {
    std::vector<figures> sums(names_.size());
    shards_.for_each([&](const shard& part) {
        for (std::size_t i = 0; i < sums.size(); ++i) {
            const counters& c = part.all[i];
            figures& f = sums[i];
            for (std::size_t k = 0; k < f.answers.size(); ++k)
                f.answers[k] += c.answers[k].load(std::memory_order_relaxed);
            for (std::size_t k = 0; k <= bounds.size(); ++k) {
                f.durations[k] += c.durations[k].load(std::memory_order_relaxed);
            }
            f.seconds += static_cast<double>(c.nanoseconds.load(std::memory_order_relaxed)) / 1e9;
            f.bytes_in += c.bytes_in.load(std::memory_order_relaxed);
            f.bytes_out += c.bytes_out.load(std::memory_order_relaxed);
            f.incomplete += c.incomplete.load(std::memory_order_relaxed);
            f.hot += c.hot.load(std::memory_order_relaxed);
        }
    });
    std::vector<figures> asked;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        std::uint64_t any = 0;
        for (const auto n : sums[i].answers)
            any += n;
        if (any == 0) continue;
        sums[i].route = names_[i].empty() ? "none" : names_[i];
        asked.push_back(std::move(sums[i]));
    }
    return asked;
}

}  // namespace gallery::app
