// SPDX-License-Identifier: Apache-2.0
/// image_store::list over shelves. Part of catalog.cpp; the shelves do not change during a call.
#pragma once

#include "shelf.hpp"

#include <gallery/kit/matcher.hpp>

#include <cstdint>
#include <vector>

namespace gallery::kit {

/// What one query runs over: the tenant's shelf and, where asked for, the system's.
struct query_scope {
    const shelf* own = nullptr;
    const shelf* system = nullptr;
    std::vector<std::uint32_t> hidden;  ///< entries of the system's shelf that are left out, ascending
};

/// Precondition: refuse_query(query) found nothing.
image_page list_images(const entry_table& table, const query_scope& scope, const image_query& query);

}  // namespace gallery::kit
