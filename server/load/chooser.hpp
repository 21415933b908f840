// SPDX-License-Identifier: Apache-2.0
/// Chooses one of many, some more often than others.
#pragma once

#include "load/random.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gallery::load {

/// Walker's alias method: each choice costs a random number and one or two reads, whatever the number of
/// weights.
class chooser {
public:
    /// Precondition: there are weights, none is negative, and their sum is above 0.
    explicit chooser(std::span<const double> weights);

    [[nodiscard]] std::size_t choose(random_numbers& random) const noexcept {
        const auto slot = random.below(static_cast<std::uint32_t>(entries_.size()));
        const auto& found = entries_[slot];
        return random.fraction() < found.share ? slot : found.other;
    }

private:
    struct entry {
        double share = 1;
        std::uint32_t other = 0;
    };
    std::vector<entry> entries_;
};

/// Zipf's weights: the n-th of @p count is chosen in proportion to 1 / n^exponent. 0: all equally often.
std::vector<double> zipf_weights(std::size_t count, double exponent);

}  // namespace gallery::load
