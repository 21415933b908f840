// SPDX-License-Identifier: Apache-2.0
// The idea. A list with system images is not stored in merged form (merged_page.hpp). Without search and
// filter, the two lists are the indexes of the two shelves. With them, the two lists are the matches, which
// are put into order first: a few by sorting them, many by walking the index and picking the matches, which
// compares nothing.
//
// The invariant. The two lists are in the order of the query. They have no entry in common, and the positions
// of hidden system images are left out of the system's list.
//
// The cost. A page of all images is O(log² n + page), plus O(log n) per hidden system image. A text search
// reads all folded texts of the shelves, a filter the entries that the search found, or all.
#include "image_lists.hpp"

#include "ordered_view.hpp"

#include <gallery/kit/merged_page.hpp>

#include <algorithm>
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
        for (const auto e : hidden)
            positions.push_back(view.position(e));
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

/// The query's page of two lists that are merged. @p hidden: entries of the system's list that are left out.
template <class Order, class List>
image_page page_of(const entry_table& table, const image_query& query, const List& own_list,
                   const List& system_list, const std::vector<std::uint32_t>& hidden) {
    using view = ordered_view<Order, List>;
    const view own(table, own_list, query.descending);
    const view whole_system(table, system_list, query.descending);
    const visible_system<Order, List> system(whole_system, hidden);
    image_page page;
    page.total = own.size() + system.size();
    const auto first = first_of(query);
    if (first >= page.total) return page;

    const auto start = start_of_page(first, system.size(), [&](std::uint64_t i) -> result<std::uint64_t> {
        return own.position(system.at(static_cast<std::size_t>(i)));
    });
    const auto entries_of = [](auto walker) {
        return [walker, is_first = true]() mutable -> result<std::optional<std::uint32_t>> {
            if (!std::exchange(is_first, false)) walker.next();
            return walker.current();
        };
    };
    using own_walker = typename view::walker;
    using system_walker = typename visible_system<Order, List>::walker;
    const auto count = std::min<std::uint64_t>(query.page_size, page.total - first);
    page.images.reserve(static_cast<std::size_t>(count));
    auto merged = merge_lists(
        entries_of(own_walker(own, static_cast<std::size_t>(start->own))),
        entries_of(system_walker(system, static_cast<std::size_t>(start->system))),
        [&](std::uint32_t a, std::uint32_t b) { return own.before(a, b); }, 0, count,
        [&](std::uint32_t e) { page.images.push_back(table[e].record(table.names)); });
    static_cast<void>(merged);  // nothing here fails
    return page;
}

/// What a selective query finds in one shelf, in no order.
template <class IsVisible>
std::vector<std::uint32_t> found_in(const entry_table& table, const shelf* where, const matcher& wanted,
                                    const image_query& query, IsVisible is_visible) {
    std::vector<std::uint32_t> found;
    if (where == nullptr) return found;
    image_record filtered;
    for (const auto number : where->pages.all) {
        const auto& page = table.pages.page(number);
        auto matches = page.used;
        if (wanted.has_text()) {
            matches = page.titles.find(wanted.folded_text());
            if (query.search_in == search_scope::names) matches |= page.names.find(wanted.folded_text());
        }
        for (; matches != 0; matches &= matches - 1) {
            const auto slot = static_cast<std::uint32_t>(std::countr_zero(matches));
            const auto e = number * entry_page::slots + slot;
            if (!is_visible(e)) continue;
            if (wanted.has_filter()) {
                page.entries[slot].unpack_filtered(table.names, filtered);
                if (!wanted.passes(filtered)) continue;
            }
            found.push_back(e);
        }
    }
    return found;
}

/// Puts entries of a shelf into ascending order.
template <class Order>
void put_in_order(const entry_table& table, const shelf* where, std::vector<std::uint32_t>& found) {
    // Sorting one takes about as long as walking over so many.
    constexpr std::size_t steps_per_sorted = 512;
    if (where == nullptr || found.size() < 2) return;
    if (found.size() < where->size() / steps_per_sorted + 64) {
        sort_in_order<Order>(table, found);
        return;
    }
    std::vector<bool> is_found(table.pages.numbers());
    for (const auto e : found)
        is_found[e] = true;
    auto left = found.size();
    auto next = found.begin();
    where->in_order<Order>().for_each([&](std::uint32_t e) {
        if (!is_found[e]) return true;
        *next++ = e;
        return --left > 0;
    });
}

template <class Order>
image_page list_in_order(const entry_table& table, const query_scope& scope, const image_query& query) {
    static const shelf empty_shelf;
    const matcher wanted(query);
    if (!wanted.is_selective())
        return page_of<Order>(
            table, query, (scope.own != nullptr ? *scope.own : empty_shelf).in_order<Order>(),
            (scope.system != nullptr ? *scope.system : empty_shelf).in_order<Order>(), scope.hidden);
    auto own = found_in(table, scope.own, wanted, query, [](std::uint32_t) { return true; });
    auto system = found_in(table, scope.system, wanted, query, [&](std::uint32_t e) {
        return !std::binary_search(scope.hidden.begin(), scope.hidden.end(), e);
    });
    put_in_order<Order>(table, scope.own, own);
    put_in_order<Order>(table, scope.system, system);
    return page_of<Order>(table, query, own, system, {});
}

}  // namespace

image_page list_images(const entry_table& table, const query_scope& scope, const image_query& query) {
    switch (query.sort) {
        case image_sort::created_time:
            return list_in_order<by_created_time>(table, scope, query);
        case image_sort::title:
            return list_in_order<by_title>(table, scope, query);
        case image_sort::resource_key:
            return list_in_order<by_key>(table, scope, query);
        case image_sort::size:
            return list_in_order<by_size>(table, scope, query);
        case image_sort::resource_type:
            return list_in_order<by_id>(table, scope, query);
        case image_sort::tenant:
            return list_in_order<by_tenant>(table, scope, query);
    }
    return {};
}

}  // namespace gallery::kit
