// SPDX-License-Identifier: Apache-2.0
#include "load/schedule.hpp"

#include <cmath>
#include <functional>

namespace gallery::load {

namespace {

std::vector<double> shares_of(const std::vector<visit_plan>& visits) {
    std::vector<double> out;
    for (const auto& one : visits)
        out.push_back(one.share);
    return out;
}

}  // namespace

arrivals::arrivals(std::vector<stage> stages, bool is_even) : is_even_(is_even) {
    double begin = 0;
    double rate = 0;
    double before = 0;
    for (const auto& one : stages) {
        const double seconds = std::chrono::duration<double>(one.duration).count();
        if (seconds > 0) {
            pieces_.push_back({begin, begin + seconds, rate, one.rate, before});
            before += (rate + one.rate) / 2 * seconds;
            begin += seconds;
        }
        rate = one.rate;
    }
}

double arrivals::expected_until(double seconds) const noexcept {
    double out = 0;
    for (const auto& one : pieces_) {
        if (seconds <= one.begin) break;
        const double passed = std::min(seconds, one.end) - one.begin;
        const double slope = (one.last_rate - one.first_rate) / (one.end - one.begin);
        out = one.before + one.first_rate * passed + slope * passed * passed / 2;
    }
    return out;
}

// The inverse of expected_until().
std::optional<double> arrivals::time_of(double visits) const noexcept {
    for (const auto& one : pieces_) {
        const double length = one.end - one.begin;
        const double wanted = visits - one.before;
        if (wanted > (one.first_rate + one.last_rate) / 2 * length) continue;
        const double slope = (one.last_rate - one.first_rate) / length;
        // Of the two forms of the solution this one does not divide by a slope of 0.
        const double root = std::sqrt(std::max(0.0, one.first_rate * one.first_rate + 2 * slope * wanted));
        const double divisor = one.first_rate + root;
        return one.begin + (divisor > 0 ? 2 * wanted / divisor : 0);
    }
    return std::nullopt;
}

std::optional<run_time> arrivals::next(random_numbers& random) noexcept {
    // A Poisson process with a changing rate is one with the rate 1 whose time is stretched.
    visits_ += is_even_ ? 1 : random.exponential();
    const auto seconds = time_of(visits_);
    if (!seconds) return std::nullopt;
    return static_cast<run_time>(*seconds * 1e9);
}

schedule::schedule(const scenario& plan, std::uint64_t seed)
    : plan_(plan),
      random_(seed),
      arrivals_(plan.stages, plan.is_even),
      which_visit_(shares_of(plan.visits)),
      which_image_(zipf_weights(plan.images, plan.popularity)),
      next_arrival_(arrivals_.next(random_)) {}

std::optional<run_time> schedule::next_time() const noexcept {
    if (open_.empty()) return next_arrival_;
    if (!next_arrival_) return open_.top().next;
    return std::min(*next_arrival_, open_.top().next);
}

std::uint32_t schedule::choose_image() noexcept {
    return static_cast<std::uint32_t>(which_image_.choose(random_));
}

void schedule::advance() {
    visit now;
    if (next_arrival_ && (open_.empty() || *next_arrival_ <= open_.top().next)) {
        now.next = *next_arrival_;
        now.plan = static_cast<std::uint32_t>(which_visit_.choose(random_));
        now.tenant = random_.below(static_cast<std::uint32_t>(plan_.tenants));
        now.image = choose_image();
        next_arrival_ = arrivals_.next(random_);
    } else {
        now = open_.top();
        open_.pop();
    }
    const auto& plan = plan_.visits[now.plan];
    for (const auto& part : plan.bursts[now.burst].parts) {
        for (unsigned i = 0; i < part.count; ++i) {
            const auto image = plan.same_image ? now.image : choose_image();
            burst_.push_back({now.next, part.what, now.tenant, image});
        }
    }
    if (++now.burst == plan.bursts.size()) return;
    now.next += plan.think.count();
    open_.push(now);
}

}  // namespace gallery::load
