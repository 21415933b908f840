// SPDX-License-Identifier: Apache-2.0
// The idea. A list with system images is not stored in merged form (merged_page.hpp). Without search and
// filter, the two lists are the indexes of the two shelves. With them, the two lists are the matches in the
// order of the query, and only as many of the tenant's as the page needs: a few matches are sorted; of many,
// the first ones are found by walking the index and picking the matches, which compares nothing. Their
// number, for the total, is counted without an order.
//
// The invariant. The two lists are in the order of the query. They have no row in common, and hidden system
// images are left out of the system's list. A list that is not whole contains the first rows in the direction
// of the query, complete ties, and at least as many as come before the end of the page.
//
// The cost. A page of all images is O(log² n + page), plus O(log n) per hidden system image. A text search
// reads all names of the shelves, a filter the rows that the search found, or all. Walking takes a nanosecond
// or two for each image that comes before the end of the page, whether it matches or not.
#include "image_lists.hpp"

#include "ordered_view.hpp"

#include <gallery/kit/merged_page.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace gallery::kit {
namespace {

/// The system's list as one tenant sees it: without what that tenant's own keys hide.
template <class Order, class List>
class visible_system {
    static std::vector<std::size_t> positions_of(const std::vector<std::uint32_t>& hidden,
                                                 const ordered_view<Order, List>& view) {
        std::vector<std::size_t> positions;
        positions.reserve(hidden.size());
        for (const auto number : hidden)
            positions.push_back(view.position(view.row(number)));
        return positions;
    }

public:
    visible_system(const ordered_view<Order, List>& view, const std::vector<std::uint32_t>& hidden)
        : view_(view), positions_(view.size(), positions_of(hidden, view)) {}
    [[nodiscard]] std::size_t size() const { return positions_.size(); }
    [[nodiscard]] std::uint32_t at(std::size_t position) const {
        return view_.at(positions_.whole_position(position));
    }

    class walker {
    public:
        walker(const visible_system& system, std::size_t position)
            : system_(&system),
              visible_(position),
              whole_(system.positions_.whole_position(position)),
              walker_(system.view_, whole_) {}
        /// Empty at the end.
        [[nodiscard]] const std::optional<std::uint32_t>& current() const noexcept {
            return walker_.current();
        }
        void next() {
            for (const auto wanted = system_->positions_.whole_position(++visible_); whole_ < wanted;
                 ++whole_)
                walker_.next();
        }

    private:
        const visible_system* system_;
        std::size_t visible_;
        std::size_t whole_;
        typename ordered_view<Order, List>::walker walker_;
    };

private:
    const ordered_view<Order, List>& view_;
    visible_positions positions_;
};

/// One of the lists that a page is merged from.
template <class List>
struct ordered_list {
    const row_table& table;
    const List& numbers;
    std::size_t size;  ///< of the whole list; @c numbers may contain only its first ones
};

/// The query's page of two lists that are merged. @p hidden: rows of the system's list that are left out.
template <class Order, class List>
std::uint64_t merge_page(const image_query& query, const ordered_list<List>& own_list,
                         const ordered_list<List>& system_list, const std::vector<std::uint32_t>& hidden,
                         const add_to_page& add) {
    using view = ordered_view<Order, List>;
    const view own(own_list.table, own_list.numbers, query.descending);
    const view whole_system(system_list.table, system_list.numbers, query.descending);
    const visible_system<Order, List> system(whole_system, hidden);
    const std::uint64_t total = own_list.size + system_list.size - hidden.size();
    const auto first = first_of(query);
    if (first >= total) return total;

    const auto start = start_of_page(first, system.size(), [&](std::uint64_t i) -> result<std::uint64_t> {
        return own.position(whole_system.row(system.at(static_cast<std::size_t>(i))));
    });
    struct place {
        std::uint32_t number;
        bool is_system;
    };
    const auto rows_of = [](auto walker, bool is_system) {
        return [walker, is_system, is_first = true]() mutable -> result<std::optional<place>> {
            if (!std::exchange(is_first, false)) walker.next();
            if (!walker.current()) return std::optional<place>();
            return std::optional<place>(place{*walker.current(), is_system});
        };
    };
    const auto row = [&](const place& at) {
        return at.is_system ? whole_system.row(at.number) : own.row(at.number);
    };
    const auto before = [&](const place& a, const place& b) {
        const auto compared = Order::compare(row(a), row(b));
        if (compared == 0) return row(a).id() < row(b).id();
        return (compared < 0) != query.descending;
    };
    using own_walker = typename view::walker;
    using system_walker = typename visible_system<Order, List>::walker;
    const auto count = std::min<std::uint64_t>(query.page_size, total - first);
    auto merged =
        merge_lists(rows_of(own_walker(own, static_cast<std::size_t>(start->own)), false),
                    rows_of(system_walker(system, static_cast<std::size_t>(start->system)), true), before, 0,
                    count, [&](const place& at) { add(row(at), at.number, at.is_system); });
    static_cast<void>(merged);  // nothing here fails
    return total;
}

/// The matches that come first in the direction of the query, ascending: at least @p wanted, or all.
template <class Order>
std::vector<std::uint32_t> first_matches(const list_part& part, const row_matches& matches, std::size_t count,
                                         std::size_t wanted, bool descending) {
    // Sorting one takes about as long as walking over so many. Titles take longer to sort.
    constexpr std::size_t steps_per_sorted = Order::name == row_order::title ? 2048 : 512;
    std::vector<std::uint32_t> found;
    if (count == 0) return found;
    const auto& table = *part.table;
    if (count < part.rows->size() / steps_per_sorted + 64) {
        found.reserve(count);
        matches.for_each(*part.rows, [&](std::uint32_t number) { found.push_back(number); });
        sort_rows(Order::name, table, found);
        return found;
    }
    wanted = std::min(wanted, count);
    found.reserve(wanted);
    const auto& index = part.rows->template in_order<Order>();
    // Where all rows are tied, both directions are the same.
    if (!descending || Order::name == row_order::id) {
        index.for_each([&](std::uint32_t number) {
            if (matches.contains(table, number)) found.push_back(number);
            return found.size() < wanted;
        });
        return found;
    }
    // The last tie is completed: its first rows come first in either direction.
    index.for_each_backwards([&](std::uint32_t number) {
        if (!matches.contains(table, number)) return true;
        if (found.size() >= wanted && Order::compare(table[number], table[found.back()]) != 0) return false;
        found.push_back(number);
        return found.size() < count;
    });
    std::reverse(found.begin(), found.end());
    return found;
}

template <class Order>
std::uint64_t list_in_order(const query_scope& scope, const image_query& query, const row_selection* by,
                            query_matches& known, const add_to_page& add) {
    static const row_table no_rows;
    static const shelf empty_shelf;
    const auto part_of = [](const list_part& part) {
        return part.rows != nullptr ? part : list_part{&no_rows, &empty_shelf};
    };
    const auto own = part_of(scope.own);
    const auto system = part_of(scope.system);
    if (by == nullptr) {
        const auto all_of = [](const list_part& part) {
            return ordered_list<ranked_numbers>{*part.table, part.rows->template in_order<Order>(),
                                                part.rows->size()};
        };
        return merge_page<Order>(query, all_of(own), all_of(system), scope.hidden, add);
    }
    constexpr auto everything = std::numeric_limits<std::size_t>::max();
    known.own.examine(*own.table, *own.rows, *by, 0, everything);
    known.system.examine(*system.table, *system.rows, *by, 0, everything);
    auto visible = known.system;
    for (const auto number : scope.hidden)
        visible.remove(*system.table, number);
    const auto own_count = known.own.count();
    const auto system_count = visible.count();
    const auto first = first_of(query);
    std::size_t wanted = 0;
    if (__builtin_add_overflow(first, query.page_size, &wanted)) wanted = everything;
    // Nothing has to be put in order for a page behind the end.
    if (first >= own_count + system_count) return own_count + system_count;
    const auto own_found = first_matches<Order>(own, known.own, own_count, wanted, query.descending);
    const auto system_found = first_matches<Order>(system, visible, system_count, wanted, query.descending);
    return merge_page<Order>(query,
                             ordered_list<std::vector<std::uint32_t>>{*own.table, own_found, own_count},
                             {*system.table, system_found, system_count}, {}, add);
}

}  // namespace

std::uint64_t list_images(const query_scope& scope, const image_query& query, const row_selection* by,
                          query_matches& known, const add_to_page& add) {
    switch (query.sort) {
        case image_sort::created_time:
            return list_in_order<by_created_time>(scope, query, by, known, add);
        case image_sort::title:
            return list_in_order<by_title>(scope, query, by, known, add);
        case image_sort::resource_key:
            return list_in_order<by_key>(scope, query, by, known, add);
        case image_sort::size:
            return list_in_order<by_size>(scope, query, by, known, add);
        case image_sort::resource_type:
            return list_in_order<by_id>(scope, query, by, known, add);
        case image_sort::tenant:
            return list_in_order<by_tenant>(scope, query, by, known, add);
    }
    return 0;
}

}  // namespace gallery::kit
