// SPDX-License-Identifier: Apache-2.0
/// Makes a picture smaller by averaging: each pixel of the result is the mean of the area it covers, with
/// fractions of pixels at the edges. Rows go in from top to bottom as they are decoded, so the whole picture
/// is never in memory. A pure computation; opacity weighs colours as it should.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace gallery::imaging::worker {

class area_scaler {
public:
    struct shape {
        std::uint32_t width = 0;
        std::uint32_t height = 0;
    };

    /// Precondition: 1 <= to <= from in both directions; 1 <= bands <= 5. With @p alpha the last band is
    /// opacity.
    area_scaler(shape from, shape to, unsigned bands, bool alpha);

    /// The next row: from.width * bands samples. Precondition: not more than from.height rows.
    void add_row(std::span<const std::uint8_t> row);

    /// to.width * to.height * bands samples. Precondition: all rows were added.
    [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(result_); }

private:
    // The part of a line of the source that one result pixel covers.
    struct span_of_source {
        std::uint32_t first;
        std::uint32_t last;
        float first_weight;
        float inner_weight;
        float last_weight;
    };

    void accumulate(std::span<const std::uint8_t> row, float weight);
    void finish_row();

    shape from_;
    shape to_;
    unsigned bands_;
    bool alpha_;
    std::uint64_t rows_seen_ = 0;
    std::uint32_t rows_done_ = 0;
    std::vector<span_of_source> columns_;
    std::vector<float> sums_;  // of the result row in progress, per source column
    std::vector<std::uint8_t> result_;
};

}  // namespace gallery::imaging::worker
