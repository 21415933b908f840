// SPDX-License-Identifier: Apache-2.0
/// One tenant's images of one sub type, in all orders; image_lists.cpp describes their use. Not thread-safe.
///
/// The idea. The rows of a shelf are in pages of a row table that shelves share, in no order. For each order
/// of lists an index holds the numbers of the rows, sorted (ranked_numbers.hpp). It converts between a row
/// and its position, and reads the compared properties from the row. Nothing is stored twice.
///
/// The invariant. Every row of `pages` is in all indexes, and no index contains another number. Therefore
/// the compared properties of a row in an index must not change: replace() removes the number from the
/// orders that differ, changes the row, and inserts the number again. Rows in `loading` are in no index until
/// finish_loading() makes all indexes again.
///
/// The cost. Adding, removing and moving a row is O(log n) in each order, with a comparison of rows at each
/// step. Loading sorts once in each order. An index takes about 5 bytes for a row.
#pragma once

#include "list_orders.hpp"
#include "ranked_numbers.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace gallery::kit {

struct shelf {
    /// The numbers of a shelf's rows in one order.
    template <class Order>
    struct index {
        using order = Order;
        ranked_numbers numbers;
    };

    page_list pages;
    page_list loading;  ///< rows that are in no index before they are all there
    std::tuple<index<by_id>, index<by_created_time>, index<by_title>, index<by_key>, index<by_size>> indexes;

    explicit shelf(const tenant_id& tenant = {}) { pages.tenant = loading.tenant = tenant; }

    [[nodiscard]] std::size_t size() const noexcept { return pages.rows; }

    template <class Order>
    [[nodiscard]] const ranked_numbers& in_order() const noexcept {
        // All have the same tenant.
        if constexpr (std::is_same_v<Order, by_tenant>)
            return std::get<index<by_id>>(indexes).numbers;
        else
            return std::get<index<Order>>(indexes).numbers;
    }

    /// Returns the number of the new row. @p record: of a catalog.
    std::uint32_t add(row_table& table, const row_source& from, packed_record record = {}) {
        const auto number = table.add(pages, from, std::move(record));
        for_each_index([&](auto& of) { insert(table, of, number); });
        return number;
    }
    /// Returns the record of a catalog.
    packed_record remove(row_table& table, std::uint32_t number) {
        for_each_index([&](auto& of) { erase(table, of, number); });
        return table.remove(pages, number);
    }
    /// Replaces a row; its number stays the same. Only the orders by what differs change.
    void replace(row_table& table, std::uint32_t number, const row_source& from) {
        const auto old = table[number];
        const bool moves_all = old.id() != from.id;
        const auto moves = [&](row_order by) {
            switch (by) {
                case row_order::id:
                    return moves_all;
                case row_order::created_time:
                    return moves_all || old.created_time() != from.created_time;
                case row_order::size:
                    return moves_all || old.size() != from.size;
                case row_order::title:
                    return moves_all || old.title() != from.original_title();
                case row_order::key:
                    return moves_all || old.key() != from.original_key();
            }
            return true;
        };
        std::array<bool, std::tuple_size_v<decltype(indexes)>> moved{};
        std::size_t next = 0;
        for_each_index([&]<class Order>(index<Order>& of) {
            if ((moved[next++] = moves(Order::name))) erase(table, of, number);
        });
        table.replace(number, from);
        next = 0;
        for_each_index([&](auto& of) {
            if (moved[next++]) insert(table, of, number);
        });
    }

    [[nodiscard]] std::optional<std::uint32_t> find(const row_table& table, std::string_view key) const {
        const auto& numbers = in_order<by_key>();
        const auto at = numbers.lower_bound([&](std::uint32_t other) { return table[other].key() < key; });
        if (at == numbers.size() || table[numbers[at]].key() != key) return std::nullopt;
        return numbers[at];
    }

    /// Adds the rows in `loading` to the others. Sorts all, which is faster than inserting many.
    void finish_loading(row_table& table) {
        table.join(pages, loading);
        std::vector<std::uint32_t> numbers;
        numbers.reserve(size());
        for_each_index([&](auto& of) {
            numbers.clear();
            table.for_each(pages, [&](std::uint32_t number) { numbers.push_back(number); });
            sort_rows(std::remove_reference_t<decltype(of)>::order::name, table, numbers);
            of.numbers.assign(numbers);
        });
    }

    template <class Visit>
    void for_each_index(Visit visit) {
        std::apply([&](auto&... all) { (visit(all), ...); }, indexes);
    }
    template <class Visit>
    void for_each_index(Visit visit) const {
        std::apply([&](const auto&... all) { (visit(all), ...); }, indexes);
    }

private:
    template <class Order>
    static auto is_before_row(const row_table& table, std::uint32_t number) {
        return [&table, row = table[number]](std::uint32_t other) {
            return is_before<Order>(table[other], row);
        };
    }
    template <class Order>
    static void insert(const row_table& table, index<Order>& of, std::uint32_t number) {
        of.numbers.insert(number, is_before_row<Order>(table, number));
    }
    template <class Order>
    static void erase(const row_table& table, index<Order>& of, std::uint32_t number) {
        of.numbers.erase(number, is_before_row<Order>(table, number));
    }
};

/// Whether an index has as many rows as its shelf, all of one tenant, and in order.
template <class Order>
bool is_in_order(const row_table& table, const shelf& part, const shelf::index<Order>& index) {
    bool is_right = index.numbers.size() == part.size();
    std::optional<row_view> before;
    index.numbers.for_each([&](std::uint32_t number) {
        is_right = is_right && table.contains(number);
        if (!is_right) return false;
        const auto row = table[number];
        is_right = row.tenant() == part.pages.tenant && (!before || is_before<Order>(*before, row));
        before.emplace(row);
        return is_right;
    });
    return is_right;
}

}  // namespace gallery::kit
