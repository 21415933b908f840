// SPDX-License-Identifier: Apache-2.0
/// A list of images made in the simple way: all that match, sorted.
#pragma once

#include <gallery/image_order.hpp>
#include <gallery/kit/matcher.hpp>
#include <gallery/model.hpp>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace gallery::kit_test {

/// The whole list of a query, of which a page is a part. @p all: the records of all tenants.
inline std::vector<record_ptr> expected_list(const std::vector<record_ptr>& all, const image_query& query) {
    const kit::matcher wanted(query);
    std::set<std::string> own_keys;
    for (const auto& record : all)
        if (record->tenant == query.tenant) own_keys.insert(record->key);
    std::vector<record_ptr> found;
    for (const auto& record : all) {
        if (record->sub_type != query.sub_type || !wanted.matches(*record)) continue;
        const bool is_own = record->tenant == query.tenant;
        const bool is_seen =
            query.include_system && record->tenant == system_tenant && !own_keys.contains(record->key);
        if (is_own || is_seen) found.push_back(record);
    }
    std::sort(found.begin(), found.end(), [&](const record_ptr& a, const record_ptr& b) {
        const auto compared = compare(*a, *b, query.sort);
        if (compared == 0) return a->id < b->id;
        return (compared < 0) != query.descending;
    });
    return found;
}

/// The part of a list that is the query's page.
inline std::vector<record_ptr> page_of(const std::vector<record_ptr>& list, const image_query& query) {
    const auto begin = std::min<std::uint64_t>(query.page * query.page_size, list.size());
    const auto end = std::min<std::uint64_t>(begin + query.page_size, list.size());
    return {list.begin() + static_cast<std::ptrdiff_t>(begin),
            list.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// Names with ties, with other spellings of the same and with what folding makes longer.
template <class Dice>
std::string random_title(Dice& dice) {
    static const std::vector<std::string> words = {"Pump",
                                                   "pump",
                                                   "P\u00fcmp",
                                                   "Stra\u00dfe",
                                                   "STRASSE",
                                                   "a long title 1",
                                                   "a long title 10",
                                                   "",
                                                   "Zebra",
                                                   "\u00c4rger",
                                                   "A\u0308rger",
                                                   "boiler room",
                                                   "\u041d\u0430\u0441\u043e\u0441",
                                                   "\u4e2d",
                                                   "\u0130zmir",
                                                   "\u212aelvin",
                                                   "e"};
    auto title = words[dice() % words.size()];
    if (dice() % 3 == 0) title += ' ' + std::to_string(dice() % 40);
    return title;
}

/// Everything but tenant and filter.
template <class Dice>
image_query random_query(Dice& dice, std::size_t images) {
    static const std::vector<std::string> texts = {"pump", "strasse", "a long", "PNG",    "key-1",
                                                   "e",    "r",       "1",      "\u00c4", "\u043e",
                                                   "z",    "\u0307",  "nothing"};
    image_query made;
    made.include_system = dice() % 2 == 0;
    made.sub_type = dice() % 4 == 0 ? image_sub_type::scada_symbol : image_sub_type::image;
    if (dice() % 3 != 0) made.text_search = texts[dice() % texts.size()];
    made.search_in = dice() % 2 == 0 ? search_scope::title : search_scope::names;
    made.sort = static_cast<image_sort>(dice() % 6);
    made.descending = dice() % 2 == 0;
    made.page_size = static_cast<std::uint32_t>(1 + dice() % (dice() % 3 == 0 ? 300 : 12));
    made.page = dice() % 3 == 0 ? dice() % (images / made.page_size + 2) : dice() % 8;
    return made;
}

}  // namespace gallery::kit_test
