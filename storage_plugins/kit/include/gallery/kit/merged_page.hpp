// SPDX-License-Identifier: Apache-2.0
/// A page of two ordered lists as if they were one: a tenant's images and the system images that it sees.
///
/// The idea. The system's entry number i is at position i + (number of the tenant's entries before it) of the
/// merged list. This rises with i, so a binary search finds how many entries of each list come before a page.
/// From there the two lists are walked in step.
/// The invariant. Both lists are in the same strict order, comes_before(). No entry is in both. The system's
/// list is without the images that the tenant's own ones hide: those with a key that the tenant has, whatever
/// the sub types of the two and whether the tenant's one passes the query's filter.
/// The cost. log2(system's entries) questions for a rank and one step for each entry of the page, wherever in
/// the lists the page is.
///
/// The catalog uses this for indexes in memory, the plugin rocksdb for indexes on a disk; reading may fail,
/// so answers are results. Nothing here has state that threads share.
#pragma once

#include <gallery/error.hpp>
#include <gallery/model.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace gallery::kit {

/// The order of a list: by value in the direction of the query, equal values by ascending id in either
/// direction. The value is the property that the query sorts by: for a title its collation key, for the order
/// by tenant the tenant's id, for the order by resource type nothing.
template <class Value>
[[nodiscard]] bool comes_before(const Value& a, const image_id& a_id, const Value& b, const image_id& b_id,
                                bool descending) {
    if (a < b) return !descending;
    if (b < a) return descending;
    return a_id < b_id;
}

/// How many entries of each list come before a page.
struct page_start {
    std::uint64_t own = 0;     ///< of the tenant's list
    std::uint64_t system = 0;  ///< of the system's list
};

/// Where the page that begins at position @p first of the merged list begins in each list.
/// @p own_before(i) returns result<std::uint64_t>: how many of the tenant's entries come before the system's
/// entry number i. Errors: its own.
/// Precondition: @p first is at most the number of entries of both lists.
template <class OwnBefore>
result<page_start> start_of_page(std::uint64_t first, std::uint64_t system_size, OwnBefore own_before) {
    std::uint64_t passed = 0;
    std::uint64_t not_passed = system_size;
    while (passed < not_passed) {
        const auto middle = passed + (not_passed - passed) / 2;
        const result<std::uint64_t> before = own_before(middle);
        if (!before) return before.error();
        if (*before + middle < first)
            passed = middle + 1;
        else
            not_passed = middle;
    }
    return page_start{first - passed, passed};
}

/// Walks both lists, passes over the next @p skip entries of the merged list and calls @p add with each of
/// the next @p count, or with those that are left.
/// @p next_own() and @p next_system() return the next entry of their list as result<P>, where P is a pointer
/// or an optional, empty at the end. They are not called again after that, nor for entries behind the page.
/// @p before(a, b) returns whether the tenant's entry a comes before the system's entry b. @p add takes an
/// entry of either list, as an rvalue. Errors: those of the lists; what was added before stays added.
template <class NextOwn, class NextSystem, class Before, class Add>
result<void> merge_lists(NextOwn next_own, NextSystem next_system, Before before, std::uint64_t skip,
                         std::uint64_t count, Add add) {
    if (count == 0) return {};
    auto own = next_own();
    if (!own) return own.error();
    auto system = next_system();
    if (!system) return system.error();
    while (*own || *system) {
        const bool is_own = !*system || (*own && before(**own, **system));
        if (skip > 0) {
            --skip;
        } else {
            if (is_own)
                add(std::move(**own));
            else
                add(std::move(**system));
            if (--count == 0) return {};
        }
        if (is_own) {
            own = next_own();
            if (!own) return own.error();
        } else {
            system = next_system();
            if (!system) return system.error();
        }
    }
    return {};
}

/// Positions in a list of which some entries are left out: the system's list as a tenant sees it, where the
/// engine keeps the system's list once and not for each tenant.
class visible_positions {
public:
    /// @p all: entries of the whole list. @p hidden: positions in it of those that are left out, each once.
    visible_positions(std::size_t all, std::vector<std::size_t> hidden)
        : size_(all - hidden.size()), hidden_(std::move(hidden)) {
        std::sort(hidden_.begin(), hidden_.end());
    }

    /// Entries that are not left out.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// How many entries that are not left out come before position @p whole of the whole list.
    [[nodiscard]] std::size_t visible_before(std::size_t whole) const {
        return whole - static_cast<std::size_t>(std::lower_bound(hidden_.begin(), hidden_.end(), whole) -
                                                hidden_.begin());
    }

    /// The position in the whole list of the entry number @p visible of those that are not left out. For
    /// size(): the number of entries of the whole list.
    [[nodiscard]] std::size_t whole_position(std::size_t visible) const {
        // The hidden entry number i has hidden[i] - i visible ones before it.
        std::size_t passed = 0;
        std::size_t not_passed = hidden_.size();
        while (passed < not_passed) {
            const auto middle = passed + (not_passed - passed) / 2;
            if (hidden_[middle] - middle <= visible)
                passed = middle + 1;
            else
                not_passed = middle;
        }
        return visible + passed;
    }

private:
    std::size_t size_;
    std::vector<std::size_t> hidden_;  ///< ascending
};

}  // namespace gallery::kit
