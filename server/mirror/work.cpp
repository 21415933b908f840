// SPDX-License-Identifier: Apache-2.0
#include "mirror/work.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace gallery::mirror {

namespace {

constexpr const char* stopped_text = "the copy was stopped; start it again to continue";

constexpr std::chrono::milliseconds longest_nap{50};

std::vector<std::string> texts_of(const std::map<std::string, std::string>& by_item) {
    std::vector<std::string> out;
    for (const auto& each : by_item) {
        if (out.size() == work::max_problems) {
            out.push_back("and " + std::to_string(by_item.size() - work::max_problems) + " more");
            break;
        }
        out.push_back(each.second);
    }
    return out;
}

}  // namespace

work::work(storage_engine& source, storage_engine& target, copy_options chosen)
    : from(source), to(target), options(std::move(chosen)), bodies(options.memory) {}

void work::note_damage(std::string item, std::string text) {
    problems_[std::move(item)] = std::move(text);
    done.damaged = problems_.size();
}

void work::clear_damage(const std::string& item) {
    problems_.erase(item);
    done.damaged = problems_.size();
}

void work::clear_damage_below(const std::string& prefix, const std::set<std::string>& except) {
    std::erase_if(problems_, [&prefix, &except](const auto& each) {
        return each.first.starts_with(prefix) && !except.contains(each.first);
    });
    done.damaged = problems_.size();
}

void work::clear_all_damage() noexcept {
    problems_.clear();
    done.damaged = 0;
}

std::vector<std::string> work::problems() const {
    return texts_of(problems_);
}

void work::note_difference(std::string item, std::string text) {
    if (!reads_bodies) return;
    if (differences_.size() == max_differences && !differences_.contains(item)) {
        has_more_differences_ = true;
    } else {
        differences_[std::move(item)] = std::move(text);
    }
}

void work::forget_differences() noexcept {
    differences_.clear();
    has_more_differences_ = false;
}

void work::explain_difference(const std::string& item) {
    differences_.erase(item);
}

void work::explain_differences_below(const std::string& prefix, const std::set<std::string>& except) {
    std::erase_if(differences_, [&prefix, &except](const auto& each) {
        return each.first.starts_with(prefix) && !except.contains(each.first);
    });
}

std::vector<std::string> work::differences() const {
    auto out = texts_of(differences_);
    if (has_more_differences_) out.emplace_back("and others");
    return out;
}

result<void> work::may_go_on() const {
    if (options.is_stopping && options.is_stopping()) return error{errc::unavailable, stopped_text};
    return {};
}

task<result<void>> work::wait_for_share(std::uint64_t bytes) {
    if (options.bytes_per_second == 0 || is_hurried) co_return result<void>();
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor> timer(
        co_await asio::this_coro::executor);
    while (clock::now() < next_read_) {
        if (auto may = may_go_on(); !may) co_return may;
        timer.expires_at(std::min(next_read_, clock::now() + longest_nap));
        co_await timer.async_wait(use_task);
    }
    const std::chrono::duration<double> price(static_cast<double>(bytes) /
                                              static_cast<double>(options.bytes_per_second));
    next_read_ = std::max(next_read_, clock::now()) + std::chrono::duration_cast<clock::duration>(price);
    co_return result<void>();
}

void work::report() const {
    if (options.report) options.report(done);
}

bool is_stopped(const error& e) noexcept {
    return e.code == errc::unavailable && e.message == stopped_text;
}

bool is_damage(const error& e) noexcept {
    return e.code == errc::corrupt || e.code == errc::io_error;
}

error of_source(const error& e) {
    return {e.code, "the source: " + e.message, e.retry_after};
}

error of_target(const error& e) {
    return {e.code, "the target: " + e.message, e.retry_after};
}

}  // namespace gallery::mirror
