// SPDX-License-Identifier: Apache-2.0
/// The orders of rows: how each compares two of them.
#pragma once

#include "row_pages.hpp"

#include <gallery/text.hpp>

#include <compare>
#include <cstdint>
#include <vector>

namespace gallery::kit {

enum class row_order : std::uint8_t { id, created_time, key, size, title };

/// Each order has
///  - compare(row, row): by the property alone. Ties are by id;
///  - name.

/// Also the order by resource type.
struct by_id {
    static constexpr auto name = row_order::id;
    static std::strong_ordering compare(const row_view&, const row_view&) noexcept {
        return std::strong_ordering::equal;
    }
};
/// The same as by_id within one shelf, where all have one tenant.
struct by_tenant {
    static constexpr auto name = row_order::id;
    static std::strong_ordering compare(const row_view& a, const row_view& b) noexcept {
        return a.tenant() <=> b.tenant();
    }
};
struct by_created_time {
    static constexpr auto name = row_order::created_time;
    static std::strong_ordering compare(const row_view& a, const row_view& b) noexcept {
        return a.created_time() <=> b.created_time();
    }
};
struct by_key {
    static constexpr auto name = row_order::key;
    static std::strong_ordering compare(const row_view& a, const row_view& b) noexcept {
        return a.key() <=> b.key();
    }
};
struct by_size {
    static constexpr auto name = row_order::size;
    static std::strong_ordering compare(const row_view& a, const row_view& b) noexcept {
        return a.size() <=> b.size();
    }
};
/// By the collation key of the title. Keys are not stored: comparing two titles takes a tenth of the time of
/// making a key.
struct by_title {
    static constexpr auto name = row_order::title;
    static std::strong_ordering compare(const row_view& a, const row_view& b) {
        return compare_collated(a.title(), b.title()) <=> 0;
    }
};

/// Whether @p a comes before @p b, ascending.
template <class Order>
bool is_before(const row_view& a, const row_view& b) {
    const auto compared = Order::compare(a, b);
    return compared != 0 ? compared < 0 : a.id() < b.id();
}

/// Sorts @p numbers of one tenant's rows by the order and by id, ascending. Faster than comparing rows, which
/// are all over the memory: it compares 8 bytes of each that it has read before, and reads the next 8 of
/// those that are equal.
void sort_rows(row_order by, const row_table& table, std::vector<std::uint32_t>& numbers);

/// The same by (SHA-256 of the original, id), for rows of a catalog.
void sort_by_content(const row_table& table, std::vector<std::uint32_t>& numbers);

}  // namespace gallery::kit
