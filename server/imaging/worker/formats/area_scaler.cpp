// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/formats/area_scaler.hpp"

#include <algorithm>
#include <array>

namespace gallery::imaging::worker {
namespace {

std::uint8_t rounded(float value) noexcept {
    return static_cast<std::uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
}

}  // namespace

area_scaler::area_scaler(shape from, shape to, unsigned bands, bool alpha)
    : from_(from), to_(to), bands_(bands), alpha_(alpha), sums_(std::size_t{from.width} * bands) {
    // In units of 1 / to.width of a source pixel, a source pixel is to.width wide and a result pixel
    // from.width: all edges are whole numbers.
    columns_.reserve(to.width);
    for (std::uint64_t x = 0; x < to.width; ++x) {
        const std::uint64_t begin = x * from.width;
        const std::uint64_t end = begin + from.width;
        const auto weight = [&](std::uint64_t units) {
            return static_cast<float>(static_cast<double>(units) / from.width);
        };
        span_of_source s{};
        s.first = static_cast<std::uint32_t>(begin / to.width);
        s.last = static_cast<std::uint32_t>((end - 1) / to.width);
        s.inner_weight = weight(to.width);
        s.first_weight = weight(std::min(end, (std::uint64_t{s.first} + 1) * to.width) - begin);
        s.last_weight = s.last == s.first ? 0.0f : weight(end - std::uint64_t{s.last} * to.width);
        columns_.push_back(s);
    }
    result_.reserve(std::size_t{to.width} * to.height * bands);
}

void area_scaler::accumulate(std::span<const std::uint8_t> row, float weight) {
    float* const sums = sums_.data();
    if (!alpha_) {
        for (std::size_t i = 0; i < row.size(); ++i)
            sums[i] += weight * static_cast<float>(row[i]);
        return;
    }
    const unsigned colours = bands_ - 1;
    for (std::size_t i = 0; i < row.size(); i += bands_) {
        const float opacity = weight * static_cast<float>(row[i + colours]);
        for (unsigned b = 0; b < colours; ++b)
            sums[i + b] += opacity * static_cast<float>(row[i + b]);
        sums[i + colours] += opacity;
    }
}

void area_scaler::finish_row() {
    for (const auto& s : columns_) {
        std::array<float, 5> pixel{};
        const auto add = [&](std::uint32_t x, float weight) {
            const float* const source = sums_.data() + std::size_t{x} * bands_;
            for (unsigned b = 0; b < bands_; ++b)
                pixel[b] += weight * source[b];
        };
        add(s.first, s.first_weight);
        for (std::uint32_t x = s.first + 1; x < s.last; ++x)
            add(x, s.inner_weight);
        if (s.last != s.first) add(s.last, s.last_weight);
        if (alpha_) {
            const float opacity = pixel[bands_ - 1];
            for (unsigned b = 0; b + 1 < bands_; ++b)
                pixel[b] = opacity > 0 ? pixel[b] / opacity : 0;
        }
        for (unsigned b = 0; b < bands_; ++b)
            result_.push_back(rounded(pixel[b]));
    }
    std::ranges::fill(sums_, 0.0f);
    ++rows_done_;
}

void area_scaler::add_row(std::span<const std::uint8_t> row) {
    // The same units vertically: this row lies between begin and end, the result row in progress ends at
    // edge. A source row is not larger than a result row, so it touches two of them at most.
    const std::uint64_t begin = rows_seen_ * to_.height;
    const std::uint64_t end = begin + to_.height;
    const std::uint64_t edge = (std::uint64_t{rows_done_} + 1) * from_.height;
    const auto weight = [this](std::uint64_t units) {
        return static_cast<float>(static_cast<double>(units) / from_.height);
    };
    accumulate(row, weight(std::min(end, edge) - begin));
    if (end >= edge) finish_row();
    if (end > edge) accumulate(row, weight(end - edge));
    ++rows_seen_;
}

}  // namespace gallery::imaging::worker
