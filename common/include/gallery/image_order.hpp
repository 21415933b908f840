// SPDX-License-Identifier: Apache-2.0
/// The order of images in a list.
#pragma once

#include <gallery/image_store.hpp>
#include <gallery/text.hpp>

namespace gallery {

/// Less than, equal to or greater than 0, by the property alone. Ties are in the order of ids (image_query).
inline int compare(const image_record& a, const image_record& b, image_sort by) {
    const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
    switch (by) {
        case image_sort::created_time:
            return order(a.created_time, b.created_time);
        case image_sort::title:
            return order(collation_key(a.title), collation_key(b.title));
        case image_sort::resource_key:
            return order(a.key, b.key);
        case image_sort::size:
            return order(a.original.size, b.original.size);
        case image_sort::tenant:
            return order(a.tenant, b.tenant);
        case image_sort::resource_type:
            break;
    }
    return 0;
}

}  // namespace gallery
