// SPDX-License-Identifier: Apache-2.0
#include "admin/progress_bar.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace gallery::admin {

namespace {

constexpr std::size_t bar_width = 10;

struct unit {
    double size;
    const char* name;
};

unit unit_of(std::uint64_t bytes) {
    constexpr std::array<unit, 4> all{{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}}};
    for (const auto& one : all) {
        if (static_cast<double>(bytes) >= one.size) return one;
    }
    return {1, "B"};
}

std::string in(const unit& of, double bytes) {
    std::array<char, 32> text{};
    const double value = bytes / of.size;
    std::snprintf(text.data(), text.size(), of.size > 1 && value < 100 ? "%.1f" : "%.0f", value);
    return text.data();
}

std::string time_text(double seconds) {
    const auto all = static_cast<std::uint64_t>(seconds + 0.5);
    if (all < 100) return std::to_string(all) + " s";
    if (all < 6'000) return std::to_string(all / 60) + " min";
    return std::to_string(all / 3'600) + " h";
}

}  // namespace

std::string render_progress(const progress_figures& now, const progress_figures& begun,
                            std::chrono::milliseconds elapsed) {
    const auto total = std::max(now.done, now.total);
    const auto total_bytes = std::max(now.bytes, now.total_bytes);
    // Bytes take the time; a store of empty images has none.
    const double share = total_bytes > 0 ? static_cast<double>(now.bytes) / static_cast<double>(total_bytes)
                         : total > 0     ? static_cast<double>(now.done) / static_cast<double>(total)
                                         : 1;
    const auto filled = static_cast<std::size_t>(share * bar_width);
    std::array<char, 16> percent{};
    std::snprintf(percent.data(), percent.size(), "%3d %%", static_cast<int>(share * 100));
    const auto unit = unit_of(total_bytes);
    std::string text = "[" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "] " +
                       percent.data() + "  " + std::to_string(now.done) + "/" + std::to_string(total) +
                       " images  " + in(unit, static_cast<double>(now.bytes)) + "/" +
                       in(unit, static_cast<double>(total_bytes)) + " " + unit.name;
    const double seconds = static_cast<double>(elapsed.count()) / 1000;
    const auto moved = now.bytes - std::min(now.bytes, begun.bytes);
    if (seconds < 1 || moved == 0) return text;
    const double rate = static_cast<double>(moved) / seconds;
    const auto per_second = unit_of(static_cast<std::uint64_t>(rate));
    text += "  " + in(per_second, rate) + " " + per_second.name + "/s";
    const auto left = " " + time_text(static_cast<double>(total_bytes - now.bytes) / rate) + " left";
    constexpr std::size_t columns = 79;
    return text.size() + 1 + left.size() <= columns ? text + " " + left : text.substr(0, columns);
}

void progress_bar::show(const progress_figures& now) {
    if (!line_.is_shown()) return;
    const auto time = clock::now();
    if (!is_begun_) {
        is_begun_ = true;
        begun_ = now;
        begun_at_ = time;
    } else if (!line_.is_due()) {
        return;
    }
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(time - begun_at_);
    line_.draw(render_progress(now, begun_, elapsed));
}

}  // namespace gallery::admin
