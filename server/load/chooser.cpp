// SPDX-License-Identifier: Apache-2.0
#include "load/chooser.hpp"

#include <cmath>
#include <numeric>

namespace gallery::load {

// Each slot has room for the average weight. A weight below it leaves room, which one above it fills.
chooser::chooser(std::span<const double> weights) : entries_(weights.size()) {
    const double average =
        std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
    std::vector<double> left(weights.begin(), weights.end());
    std::vector<std::uint32_t> small, large;
    for (std::uint32_t i = 0; i < left.size(); ++i) {
        left[i] /= average;
        (left[i] < 1 ? small : large).push_back(i);
    }
    while (!small.empty() && !large.empty()) {
        const auto under = small.back();
        const auto over = large.back();
        small.pop_back();
        entries_[under] = {left[under], over};
        left[over] -= 1 - left[under];
        if (left[over] < 1) {
            large.pop_back();
            small.push_back(over);
        }
    }
    // What remains has the average weight, but for rounding: its share is 1.
}

std::vector<double> zipf_weights(std::size_t count, double exponent) {
    std::vector<double> out(count);
    for (std::size_t i = 0; i < count; ++i)
        out[i] = std::pow(static_cast<double>(i + 1), -exponent);
    return out;
}

}  // namespace gallery::load
