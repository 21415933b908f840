// SPDX-License-Identifier: Apache-2.0
/// Random numbers of a run: repeatable, and cheaper than a system call. Not for secrets.
#pragma once

#include <cmath>
#include <cstdint>

namespace gallery::load {

/// SplitMix64 (Steele, Lea, Flood 2014). Equal seeds give equal numbers. One thread at a time.
class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        auto mixed = state_ += 0x9E3779B97F4A7C15ULL;
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
        return mixed ^ (mixed >> 31U);
    }
    /// 0 <= x < 1
    double fraction() noexcept { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
    /// 0 <= x < end. Precondition: end > 0.
    std::uint32_t below(std::uint32_t end) noexcept {
        return static_cast<std::uint32_t>(((next() >> 32U) * end) >> 32U);
    }
    /// Of the exponential distribution with the mean 1.
    double exponential() noexcept { return -std::log1p(-fraction()); }

private:
    std::uint64_t state_;
};

}  // namespace gallery::load
