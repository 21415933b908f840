// SPDX-License-Identifier: Apache-2.0
/// A list of rows in one order and direction.
///
/// The idea. The list is in ascending order. Positions of the descending order are counted from its end,
/// except within a tie, a run of rows with equal properties: ties are by ascending id in both directions.
/// The cost. A position: O(log n) comparisons. A step of a walker: the same in a new tie, otherwise none.
#pragma once

#include "list_orders.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gallery::kit {

/// @p List: a ranked_numbers or a vector of numbers of rows of the table, in ascending order; outlives this.
/// Positions count from 0 in the direction of the view.
template <class Order, class List>
class ordered_view {
public:
    ordered_view(const row_table& table, const List& list, bool descending)
        : table_(table), list_(list), descending_(descending) {}

    [[nodiscard]] std::size_t size() const { return list_.size(); }
    [[nodiscard]] row_view row(std::uint32_t number) const noexcept { return table_[number]; }

    /// How many rows of this list come before @p wanted, which may be of another list.
    [[nodiscard]] std::size_t position(const row_view& wanted) const {
        const auto rank = lower_bound(
            0, size(), [&](std::uint32_t other) { return is_before<Order>(table_[other], wanted); });
        if (!descending_) return rank;
        const auto begin = lower_bound(
            0, rank, [&](std::uint32_t other) { return Order::compare(table_[other], wanted) < 0; });
        const auto end = lower_bound(
            rank, size(), [&](std::uint32_t other) { return Order::compare(table_[other], wanted) <= 0; });
        return size() - end + (rank - begin);
    }

    /// Walks the list from a position.
    class walker {
    public:
        walker(const ordered_view& view, std::size_t position) : view_(&view) {
            if (position >= view.size()) return;
            if (!view.descending_) {
                rank_ = position;
                tie_end_ = view.size();
            } else {
                enter_tie_of(view.size() - 1 - position);
                rank_ = tie_begin_ + (position - (view.size() - tie_end_));
            }
            current_ = view.list_[rank_];
        }
        /// Empty at the end.
        [[nodiscard]] const std::optional<std::uint32_t>& current() const noexcept { return current_; }
        void next() {
            if (++rank_ == tie_end_) {
                if (!view_->descending_ || tie_begin_ == 0) {
                    current_.reset();
                    return;
                }
                enter_tie_of(tie_begin_ - 1);
                rank_ = tie_begin_;
            }
            current_ = view_->list_[rank_];
        }

    private:
        void enter_tie_of(std::size_t rank) {
            const auto end = tie_begin_;
            tie_begin_ = view_->tie_begin(rank);
            tie_end_ = rank + 1 == end ? end : view_->tie_end(rank);
        }
        const ordered_view* view_;
        std::size_t rank_ = 0, tie_begin_ = 0, tie_end_ = 0;
        std::optional<std::uint32_t> current_;
    };

    [[nodiscard]] std::uint32_t at(std::size_t position) const { return *walker(*this, position).current(); }

private:
    /// The first rank from @p begin to @p end for whose number @p holds does not hold; those for which it
    /// holds are before it.
    template <class Holds>
    [[nodiscard]] std::size_t lower_bound(std::size_t begin, std::size_t end, Holds holds) const {
        while (begin < end) {
            const auto middle = begin + (end - begin) / 2;
            if (holds(list_[middle]))
                begin = middle + 1;
            else
                end = middle;
        }
        return begin;
    }
    // Most ties are short: the search begins with the neighbours and doubles its step.
    [[nodiscard]] std::size_t tie_begin(std::size_t rank) const {
        const auto e = list_[rank];
        std::size_t step = 1;
        auto end = rank;
        for (; step <= end && is_tied(list_[end - step], e); step *= 2)
            end -= step;
        return lower_bound(step <= end ? end - step : 0, end,
                           [&](std::uint32_t other) { return !is_tied(other, e); });
    }
    [[nodiscard]] std::size_t tie_end(std::size_t rank) const {
        const auto e = list_[rank];
        std::size_t step = 1;
        auto begin = rank + 1;
        for (; begin + step <= size() && is_tied(list_[begin + step - 1], e); step *= 2)
            begin += step;
        return lower_bound(begin, std::min(begin + step, size()),
                           [&](std::uint32_t other) { return is_tied(other, e); });
    }
    [[nodiscard]] bool is_tied(std::uint32_t a, std::uint32_t b) const {
        return Order::compare(table_[a], table_[b]) == 0;
    }

    const row_table& table_;
    const List& list_;
    bool descending_;
};

}  // namespace gallery::kit
