// SPDX-License-Identifier: Apache-2.0
#include "load/thresholds.hpp"

#include "load/scenario.hpp"
#include "load/statistics.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace gallery::load {

namespace {

using measure = threshold::measure;

std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto begin = text.find_first_not_of(' ');
        if (begin == text.npos) break;
        const auto end = std::min(text.find(' ', begin), text.size());
        out.push_back(text.substr(begin, end - begin));
        text.remove_prefix(end);
    }
    return out;
}

std::optional<double> decimal(std::string_view text) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size() || !(value >= 0)) return std::nullopt;
    return value;
}

error not_a_threshold(std::string_view text) {
    return {errc::invalid_argument, "'" + std::string(text.substr(0, 80)) +
                                        "' is not a threshold. Examples: p99 < 50ms, get p99.9 < 200ms, "
                                        "errors < 0.1%, throughput > 5000"};
}

bool is_latency(measure of) noexcept {
    return of == measure::percentile || of == measure::mean || of == measure::max;
}

std::string number_text(double value, int digits) {
    std::array<char, 48> out{};
    std::snprintf(out.data(), out.size(), "%.*f", digits, value);
    return out.data();
}

}  // namespace

result<threshold> parse_threshold(std::string_view text) {
    threshold out;
    out.text = text;
    auto words = split_words(text);
    // "p99 < 5 ms" is as good as "p99 < 5ms".
    std::string joined;
    const auto sign =
        std::find_if(words.begin(), words.end(), [](auto one) { return one == "<" || one == ">"; });
    const auto before = static_cast<std::size_t>(sign - words.begin());
    if (sign == words.end() || before < 1 || before > 2 || words.size() - before < 2)
        return not_a_threshold(text);
    for (auto at = sign + 1; at != words.end(); ++at)
        joined += *at;
    const auto value = std::string_view(joined);
    if (before == 2) {
        out.what = operation_named(words[0]);
        if (!out.what) return not_a_threshold(text);
    }
    const auto name = words[before - 1];
    if (name == "mean") {
        out.of = measure::mean;
    } else if (name == "max") {
        out.of = measure::max;
    } else if (name == "errors") {
        out.of = measure::errors;
    } else if (name == "throughput") {
        out.of = measure::throughput;
    } else {
        const auto percent = name.starts_with('p') ? decimal(name.substr(1)) : std::nullopt;
        if (!percent || *percent <= 0 || *percent >= 100) return not_a_threshold(text);
        out.percent = *percent;
    }
    out.is_least = *sign == ">";
    if (out.is_least != (out.of == measure::throughput)) return not_a_threshold(text);
    if (is_latency(out.of)) {
        const auto limit = parse_duration(value);
        if (!limit) return not_a_threshold(text);
        out.limit = std::chrono::duration<double, std::micro>(*limit).count();
    } else {
        const bool is_percent = value.ends_with('%');
        const auto limit = decimal(value.substr(0, value.size() - (is_percent ? 1 : 0)));
        if (!limit || is_percent != (out.of == measure::errors)) return not_a_threshold(text);
        out.limit = is_percent ? *limit / 100 : *limit;
    }
    return out;
}

std::vector<threshold_outcome> judge(const std::vector<threshold>& wanted, const run_totals& totals) {
    const auto all = totals.all();
    std::vector<threshold_outcome> out;
    for (const auto& one : wanted) {
        const auto& of = one.what ? totals.by_operation[static_cast<std::size_t>(*one.what)] : all;
        threshold_outcome now{one.text, "no requests", false};
        const auto count = static_cast<double>(of.count());
        if (count > 0) {
            double value = 0;
            switch (one.of) {
                case measure::percentile:
                    value = static_cast<double>(of.latency.percentile(one.percent));
                    break;
                case measure::mean:
                    value = of.latency.mean();
                    break;
                case measure::max:
                    value = static_cast<double>(of.latency.max());
                    break;
                case measure::errors:
                    value = static_cast<double>(of.errors()) / count;
                    break;
                case measure::throughput:
                    value =
                        totals.seconds > 0 ? static_cast<double>(of.of(verdict::good)) / totals.seconds : 0;
                    break;
            }
            now.holds = one.is_least ? value > one.limit : value < one.limit;
            now.found = is_latency(one.of)          ? latency_text(value)
                        : one.of == measure::errors ? number_text(value * 100, 3) + " %"
                                                    : number_text(value, 1) + "/s";
        }
        out.push_back(std::move(now));
    }
    for (const auto what : {verdict::stale, verdict::wrong}) {
        const auto count = all.of(what);
        out.push_back({std::string(verdict_names[static_cast<std::size_t>(what)]) + " answers = 0",
                       std::to_string(count), count == 0});
    }
    return out;
}

bool all_hold(const std::vector<threshold_outcome>& outcomes) noexcept {
    return std::all_of(outcomes.begin(), outcomes.end(), [](const auto& one) { return one.holds; });
}

std::string latency_text(double microseconds) {
    if (microseconds < 1000) return number_text(microseconds, 0) + " us";
    if (microseconds < 1e6) return number_text(microseconds / 1e3, microseconds < 1e5 ? 2 : 0) + " ms";
    return number_text(microseconds / 1e6, 2) + " s";
}

}  // namespace gallery::load
