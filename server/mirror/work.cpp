// SPDX-License-Identifier: Apache-2.0
#include "mirror/work.hpp"

#include <utility>

namespace gallery::mirror {

namespace {

constexpr const char* stopped_text = "the copy was stopped; start it again to continue";

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
    std::vector<std::string> out;
    for (const auto& each : problems_) {
        if (out.size() == max_problems) {
            out.push_back("and " + std::to_string(problems_.size() - max_problems) + " more");
            break;
        }
        out.push_back(each.second);
    }
    return out;
}

result<void> work::may_go_on() const {
    if (options.is_stopping && options.is_stopping()) return error{errc::unavailable, stopped_text};
    return {};
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
