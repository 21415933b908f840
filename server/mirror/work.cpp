// SPDX-License-Identifier: Apache-2.0
#include "mirror/work.hpp"

#include <algorithm>
#include <utility>

namespace gallery::mirror {

namespace {

constexpr const char* stopped_text = "the copy was stopped; start it again to continue";

/// At most work::max_problems, and the number of the others.
std::vector<std::string> shortened(std::vector<std::string> texts) {
    if (texts.size() <= work::max_problems) return texts;
    const auto more = texts.size() - work::max_problems;
    texts.resize(work::max_problems);
    texts.push_back("and " + std::to_string(more) + " more");
    return texts;
}

void add_texts(std::vector<std::string>& out, const std::map<std::string, std::string>& by_item) {
    for (const auto& each : by_item)
        out.push_back(each.second);
}

}  // namespace

work::work(storage_engine& source, storage_engine& target, copy_options chosen)
    : from(source),
      to(target),
      options(std::move(chosen)),
      bodies(options.memory),
      absent(source, !options.is_source_written) {}

void work::note_damage(std::string item, std::string text) {
    only_in_target_.erase(item);
    problems_[std::move(item)] = std::move(text);
    count_damage();
}

void work::note_only_in_target(std::string item, const std::string& what) {
    problems_.erase(item);
    only_in_target_[std::move(item)] = what + " is only in the target and is kept: " + absent.reason();
    count_damage();
}

void work::clear_damage(const std::string& item) {
    problems_.erase(item);
    only_in_target_.erase(item);
    count_damage();
}

void work::clear_damage_below(const std::string& prefix, const std::set<std::string>& except) {
    const auto is_cleared = [&prefix, &except](const auto& each) {
        return each.first.starts_with(prefix) && !except.contains(each.first);
    };
    std::erase_if(problems_, is_cleared);
    std::erase_if(only_in_target_, is_cleared);
    count_damage();
}

void work::begin_pass() {
    problems_.clear();
    only_in_target_.clear();
    absent.begin_pass();
    look_at_source();
}

void work::look_at_source() {
    set_aside_ = absent.set_aside();
    count_damage();
}

std::uint64_t work::missing_entries() const noexcept {
    return set_aside_ - std::min<std::uint64_t>(set_aside_, only_in_target_.size());
}

void work::count_damage() noexcept {
    done.damaged = problems_.size() + only_in_target_.size() + missing_entries();
}

std::vector<std::string> work::problems() const {
    std::vector<std::string> out;
    if (const auto missing = missing_entries(); missing > 0) {
        out.push_back(std::to_string(missing) + (missing == 1 ? " entry" : " entries") +
                      " of the source cannot be read and " + (missing == 1 ? "is" : "are") +
                      " out of service. gallery-admin verify names what is in the folder set-aside");
    }
    add_texts(out, problems_);
    add_texts(out, only_in_target_);
    return shortened(std::move(out));
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
    std::vector<std::string> out;
    add_texts(out, differences_);
    out = shortened(std::move(out));
    if (has_more_differences_) out.emplace_back("and others");
    return out;
}

result<void> work::may_go_on() const {
    if (options.is_stopping && options.is_stopping()) return error{errc::unavailable, stopped_text};
    return {};
}

task<result<void>> work::wait_for_share(std::uint64_t bytes) {
    if (options.bytes_per_second == 0 || is_hurried) co_return result<void>();
    auto turn = pace_.wait(bytes, options.bytes_per_second, options.is_stopping);
    const bool goes_on = co_await std::move(turn);
    if (!goes_on) co_return error{errc::unavailable, stopped_text};
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
