// SPDX-License-Identifier: Apache-2.0
/// Finds the highest rate that holds, in few tries. Pure.
#pragma once

namespace gallery::load {

/// First each rate is a fixed factor above the one before; after the first that does not hold, the range
/// between the two is halved, until it is narrow enough. Assumes that no rate above a broken one holds.
class limit_search {
public:
    /// Preconditions: first > 0, factor > 1, precision > 0. @p precision: as a share of the rate.
    limit_search(double first, double factor, double precision) noexcept
        : next_(first), factor_(factor), precision_(precision) {}

    /// The next rate to try, until is_over().
    [[nodiscard]] double next() const noexcept { return next_; }
    /// How next() went.
    void tried(bool holds) noexcept {
        if (holds)
            best_ = next_;
        else
            broken_ = next_;
        if (broken_ == 0)
            next_ = best_ * factor_;
        else
            next_ = (best_ + broken_) / 2;
    }
    [[nodiscard]] bool is_over() const noexcept {
        // The first rate is not searched below.
        return broken_ > 0 && (best_ == 0 || broken_ - best_ <= precision_ * broken_);
    }
    /// 0: none holds.
    [[nodiscard]] double best() const noexcept { return best_; }

private:
    double next_;
    double factor_;
    double precision_;
    double best_ = 0;
    double broken_ = 0;
};

}  // namespace gallery::load
