// SPDX-License-Identifier: Apache-2.0
/// The orders of entries: how each compares two of them.
#pragma once

#include "entry_pages.hpp"

#include <gallery/text.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::kit {

/// Each order has
///  - value: the property that it sorts by, and value_of(table, entry);
///  - compare(table, entry, entry or value): by the property alone. Ties are by id.

/// By a property that is stored in the entry.
template <class Order>
struct plain_order {
    static auto value_of(const entry_table& table, const packed_record& e) {
        return Order::property(table, e);
    }
    static std::strong_ordering compare(const entry_table& table, const packed_record& a,
                                        const packed_record& b) {
        return Order::property(table, a) <=> Order::property(table, b);
    }
    template <class Value>
    static std::strong_ordering compare(const entry_table& table, const packed_record& a, const Value& b) {
        return Order::property(table, a) <=> b;
    }
};

/// Also the order by resource type.
struct by_id : plain_order<by_id> {
    using value = int;
    static int property(const entry_table&, const packed_record&) noexcept { return 0; }
};
/// The same as by_id within one shelf, where all have one tenant.
struct by_tenant : plain_order<by_tenant> {
    using value = tenant_id;
    static tenant_id property(const entry_table& table, const packed_record& e) {
        return table.names.tenant(e.tenant());
    }
};
struct by_created_time : plain_order<by_created_time> {
    using value = std::int64_t;
    static std::int64_t property(const entry_table&, const packed_record& e) noexcept {
        return e.created_time();
    }
};
struct by_key : plain_order<by_key> {
    using value = std::string_view;
    static std::string_view property(const entry_table&, const packed_record& e) noexcept { return e.key(); }
};
struct by_size : plain_order<by_size> {
    using value = std::uint64_t;
    static std::uint64_t property(const entry_table&, const packed_record& e) noexcept { return e.size(); }
};
/// Not a list order: by the SHA-256 of the original.
struct by_content : plain_order<by_content> {
    using value = sha256_digest;
    static sha256_digest property(const entry_table&, const packed_record& e) noexcept { return e.etag(); }
};
/// By the collation key of the title. An entry contains its first 8 bytes only; the whole key is made again,
/// in about a microsecond, where those are equal.
struct by_title {
    struct value {
        std::uint64_t prefix;
        std::string key;
    };
    static value value_of(const entry_table&, const packed_record& e) {
        return {e.title_prefix(), collation_key(e.title())};
    }
    static std::strong_ordering compare(const entry_table&, const packed_record& a, const packed_record& b) {
        const auto prefix = a.title_prefix() <=> b.title_prefix();
        if (prefix != 0 || a.title() == b.title()) return prefix;
        return collation_key(a.title()) <=> collation_key(b.title());
    }
    static std::strong_ordering compare(const entry_table&, const packed_record& a, const value& b) {
        const auto prefix = a.title_prefix() <=> b.prefix;
        return prefix != 0 ? prefix : collation_key(a.title()) <=> b.key;
    }
};

/// Whether an entry comes before the place of (@p value, @p id), ascending.
template <class Order>
bool is_before(const entry_table& table, const packed_record& e, const typename Order::value& value,
               const image_id& id) {
    const auto compared = Order::compare(table, e, value);
    return compared != 0 ? compared < 0 : e.id() < id;
}

/// Sorts @p numbers by the order and by id, ascending. Faster than comparing entries, which are all over the
/// memory: it compares 8 bytes of each that it has read before, and reads the next 8 of those that are equal.
template <class Order>
void sort_in_order(const entry_table& table, std::vector<std::uint32_t>& numbers);

}  // namespace gallery::kit
