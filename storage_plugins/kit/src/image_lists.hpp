// SPDX-License-Identifier: Apache-2.0
/// image_store::list over shelves. The shelves do not change during a call.
#pragma once

#include "row_matches.hpp"
#include "shelf.hpp"

#include <gallery/kit/matcher.hpp>

#include <cstdint>
#include <functional>
#include <vector>

namespace gallery::kit {

/// One of the two lists that a page is merged from.
struct list_part {
    const row_table* table = nullptr;
    const shelf* rows = nullptr;  ///< null: there are none
};

/// What one query runs over: the tenant's shelf and, where asked for, the system's.
struct query_scope {
    list_part own;
    list_part system;
    std::vector<std::uint32_t> hidden;  ///< rows of the system's shelf that are left out
};

/// What is known about the matches of a query before its page is made; kept between calls.
struct query_matches {
    row_matches own;
    row_matches system;
};

/// Calls @p add(row, number, is_system) for each image of the query's page, in order. Returns the total.
/// @p by: null if the query selects all. Precondition: refuse_query(query) found nothing.
using add_to_page = std::function<void(const row_view& row, std::uint32_t number, bool is_system)>;
std::uint64_t list_images(const query_scope& scope, const image_query& query, const row_selection* by,
                          query_matches& known, const add_to_page& add);

/// So much of a shelf is searched under one lock: some 20 microseconds.
inline constexpr std::size_t search_budget = 128 * 1024;

}  // namespace gallery::kit
