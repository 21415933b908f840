// SPDX-License-Identifier: Apache-2.0
/// One tenant's images of one sub type, in all orders; catalog.cpp describes their use. Not thread-safe.
#pragma once

#include "list_orders.hpp"
#include "ranked_numbers.hpp"

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace gallery::kit {

struct shelf {
    /// The numbers of a shelf's entries in one order.
    template <class Order>
    struct index {
        using order = Order;
        ranked_numbers numbers;
    };

    page_list pages;
    page_list loading;  ///< entries that are in no index before they are all there
    std::tuple<index<by_id>, index<by_created_time>, index<by_title>, index<by_key>, index<by_size>,
               index<by_content>>
        indexes;
    /// Number of indexes.
    static constexpr std::size_t orders = 6;

    [[nodiscard]] std::size_t size() const noexcept { return pages.entries; }

    template <class Order>
    [[nodiscard]] const ranked_numbers& in_order() const noexcept {
        // All have the same tenant.
        if constexpr (std::is_same_v<Order, by_tenant>)
            return std::get<index<by_id>>(indexes).numbers;
        else
            return std::get<index<Order>>(indexes).numbers;
    }

    /// Returns the number of the new entry.
    std::uint32_t add(entry_table& table, packed_record entry, const searched_texts& texts) {
        const auto number = table.pages.add(pages, std::move(entry), texts);
        for_each_index([&](auto& of) { of.numbers.insert(number, is_before_entry(table, of, number)); });
        return number;
    }
    packed_record remove(entry_table& table, std::uint32_t number) {
        for_each_index([&](auto& of) { of.numbers.erase(number, is_before_entry(table, of, number)); });
        return table.pages.remove(pages, number);
    }

    /// Adds the entries in `loading` to the others. Sorts all, which is faster than inserting many.
    void finish_loading(entry_table& table) {
        table.pages.join(pages, loading);
        std::vector<std::uint32_t> numbers;
        numbers.reserve(size());
        for_each_index([&](auto& of) {
            numbers.clear();
            table.pages.for_each(pages, [&](std::uint32_t number) { numbers.push_back(number); });
            sort_in_order<typename std::remove_reference_t<decltype(of)>::order>(table, numbers);
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
    static auto is_before_entry(const entry_table& table, const index<Order>&, std::uint32_t number) {
        return [&table, value = Order::value_of(table, table[number]), id = table[number].id()](
                   std::uint32_t other) { return is_before<Order>(table, table[other], value, id); };
    }
};

/// Whether an index has as many entries as its shelf, all of one tenant and sub type, and in order. Titles
/// are compared by their first bytes.
template <class Order>
bool is_in_order(const entry_table& table, const shelf& part, const shelf::index<Order>& index) {
    bool is_right = index.numbers.size() == part.size();
    const packed_record* before = nullptr;
    index.numbers.for_each([&](std::uint32_t number) {
        is_right = is_right && table.pages.contains(number);
        if (!is_right) return false;
        const auto& e = table[number];
        if (before != nullptr) {
            is_right = before->tenant() == e.tenant() && before->sub_type() == e.sub_type();
            if constexpr (std::is_same_v<Order, by_title>) {
                is_right = is_right && before->title_prefix() <= e.title_prefix();
            } else {
                const auto compared = Order::compare(table, *before, e);
                is_right = is_right && (compared < 0 || (compared == 0 && before->id() < e.id()));
            }
        }
        before = &e;
        return is_right;
    });
    return is_right;
}

}  // namespace gallery::kit
