// SPDX-License-Identifier: Apache-2.0
/// Counts latencies without keeping each of them.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace gallery::load {

/// A log-linear histogram, as HdrHistogram has it. Each power of two is divided into 128 equal parts, so a
/// value is known to better than 1 % over the whole range. Recording is an addition; memory is constant
/// (about 30 KB). Units are the caller's; here they are microseconds. One thread at a time.
class histogram {
public:
    /// The largest value that is told apart: about 19 hours in microseconds. Larger ones count as this one.
    static constexpr std::uint64_t largest = (1ULL << 36U) - 1;

    void record(std::uint64_t value) noexcept {
        value = value < largest ? value : largest;
        ++counts_[slot_of(value)];
        ++count_;
        sum_ += value;
        if (value > max_) max_ = value;
    }

    void add(const histogram& other) noexcept {
        for (std::size_t i = 0; i < slots; ++i)
            counts_[i] += other.counts_[i];
        count_ += other.count_;
        sum_ += other.sum_;
        if (other.max_ > max_) max_ = other.max_;
    }

    void clear() noexcept { *this = histogram(); }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
    [[nodiscard]] double mean() const noexcept {
        return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
    }

    /// The value that @p percent of all values do not exceed, rounded up to the end of its part; 0 without
    /// values. Precondition: 0 <= percent <= 100.
    [[nodiscard]] std::uint64_t percentile(double percent) const noexcept {
        if (count_ == 0) return 0;
        const double exact = percent / 100 * static_cast<double>(count_);
        auto rank = static_cast<std::uint64_t>(exact);
        if (static_cast<double>(rank) < exact || rank == 0) ++rank;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < slots; ++i) {
            seen += counts_[i];
            if (seen >= rank) return end_of(i) < max_ ? end_of(i) : max_;
        }
        return max_;
    }

private:
    static constexpr unsigned part_bits = 7;
    static constexpr std::size_t parts = 1U << part_bits;
    static constexpr std::size_t slots = (36 - part_bits + 1) * parts;

    // Values below 128 have a slot each. Above, the leading 8 bits of a value select its slot.
    static std::size_t slot_of(std::uint64_t value) noexcept {
        if (value < parts) return value;
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - part_bits - 1;
        return (shift + 1) * parts + ((value >> shift) - parts);
    }
    static std::uint64_t end_of(std::size_t slot) noexcept {
        if (slot < parts) return slot;
        const auto shift = static_cast<unsigned>(slot / parts) - 1;
        return ((slot % parts + parts + 1) << shift) - 1;
    }

    std::array<std::uint64_t, slots> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace gallery::load
