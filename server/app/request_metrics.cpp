#include "app/request_metrics.hpp"

namespace gallery::app {

namespace {

std::uint64_t next_serial() noexcept {
    static std::atomic<std::uint64_t> serial{0};
    return serial.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// Only the thread that owns a counter writes it; others read.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

std::size_t class_of(unsigned status) noexcept {
    if (status < 200) return 0;
    if (status < 300) return 1;
    if (status == 304) return 2;
    if (status < 400) return 3;
    return status < 500 ? 4 : 5;
}

}  // namespace

struct request_metrics::counters {
    std::array<std::atomic<std::uint64_t>, classes.size()> answers{};
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> durations{};
    std::atomic<std::uint64_t> nanoseconds{0};
    std::atomic<std::uint64_t> bytes_in{0};
    std::atomic<std::uint64_t> bytes_out{0};
    std::atomic<std::uint64_t> incomplete{0};
    std::atomic<std::uint64_t> hot{0};
};

struct alignas(64) request_metrics::shard {
    explicit shard(std::size_t routes) : all(routes) {}
    std::vector<counters> all;
};

request_metrics::request_metrics() noexcept : serial_(next_serial()) {}
request_metrics::~request_metrics() = default;

void request_metrics::set_routes(const std::vector<const http::route*>& routes) {
    names_.assign(1, "");
    positions_.clear();
    std::unordered_map<std::string, std::size_t> known;
    for (const auto* route : routes) {
        const auto [at, fresh] = known.try_emplace(route->options.name, names_.size());
        if (fresh) names_.push_back(route->options.name);
        positions_[route->options.name.data()] = at->second;
    }
}

request_metrics::shard& request_metrics::of_this_thread() {
    struct mine {
        std::uint64_t serial = 0;
        shard* counted = nullptr;
    };
    thread_local mine here;
    if (here.counted == nullptr || here.serial != serial_) {
        auto fresh = std::make_unique<shard>(names_.size());
        here = {serial_, fresh.get()};
        const std::lock_guard lock(mutex_);
        shards_.push_back(std::move(fresh));
    }
    return *here.counted;
}

void request_metrics::observe(const http::exchange& e) noexcept {
    if (names_.empty()) return;
    const auto at = positions_.find(e.route.data());
    counters& c = of_this_thread().all[at == positions_.end() ? 0 : at->second];
    add(c.answers[class_of(e.status)], 1);
    const auto nanoseconds = static_cast<std::uint64_t>(e.duration.count());
    std::size_t bucket = 0;
    while (bucket < bounds.size() && static_cast<double>(nanoseconds) > bounds[bucket] * 1e9)
        ++bucket;
    add(c.durations[bucket], 1);
    add(c.nanoseconds, nanoseconds);
    add(c.bytes_in, e.bytes_in);
    add(c.bytes_out, e.bytes_out);
    if (!e.complete) add(c.incomplete, 1);
    if (e.hot) add(c.hot, 1);
}

std::vector<request_metrics::figures> request_metrics::read() const {
    std::vector<figures> sums(names_.size());
    const std::lock_guard lock(mutex_);
    for (const auto& part : shards_) {
        for (std::size_t i = 0; i < sums.size(); ++i) {
            const counters& c = part->all[i];
            figures& f = sums[i];
            for (std::size_t k = 0; k < classes.size(); ++k)
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
    }
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
