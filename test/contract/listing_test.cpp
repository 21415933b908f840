// SPDX-License-Identifier: Apache-2.0
// Pages, orders, totals and search, compared with a model that looks at everything.
#include "model.hpp"
#include "store_fixture.hpp"

#include <algorithm>
#include <limits>

using namespace gallery;
using namespace gallery::contract;

namespace {

constexpr image_sort all_sorts[] = {image_sort::created_time,  image_sort::title,
                                    image_sort::resource_key,  image_sort::size,
                                    image_sort::resource_type, image_sort::tenant};

constexpr const char* media_types[] = {"image/png", "image/jpeg", "image/svg+xml"};

struct listing_fixture : store_fixture {
    model content;

    /// Values from small ranges, so that ties, hidden keys and hits are many.
    image random_image() {
        static const std::vector<std::string> words = {"Pump",
                                                       "pump",
                                                       "PUMP 50%",
                                                       "a_b",
                                                       "a%b",
                                                       "axb",
                                                       "Stra\xC3\x9F"
                                                       "e",
                                                       "STRASSE",
                                                       "\xC3\x84pfel",
                                                       "\xC3\xA4pfel",
                                                       "A\xCC\x88pfel",
                                                       "\xCE\xA3\xCE\x91\xCE\xA3",
                                                       "\xCF\x83\xCE\xB1\xCF\x82",
                                                       "",
                                                       " ",
                                                       "\\",
                                                       "'",
                                                       "\xF0\x9F\x90\x98",
                                                       "\xC4\xB0stanbul",
                                                       "istanbul",
                                                       "tank",
                                                       "Tank 7"};
        const auto tenant = number(3);
        auto made = make(tenant == 0 ? system_tenant : tenant_number(static_cast<unsigned>(tenant)),
                         "key " + std::to_string(number(60)), 1 + number(6), number(4));
        made.record.title = words[number(words.size())] + (number(2) == 1 ? words[number(words.size())] : "");
        made.record.sub_type = number(4) == 0 ? image_sub_type::scada_symbol : image_sub_type::image;
        made.record.created_time = static_cast<std::int64_t>(number(9)) - 4;
        made.record.file_name = words[number(words.size())];
        made.record.original.media_type = media_types[number(std::size(media_types))];
        return made;
    }

    void put(const image& what) {
        const auto saved = must_save(what);
        content[{saved->tenant, saved->key}] = *saved;
    }

    image_filter random_filter() {
        static const std::vector<std::string> tags = {"blue", "Blue", "\xC3\xA4", "logo", "blu", "none"};
        image_filter filter;
        if (number(3) == 0) filter.tags.push_back(tags[number(tags.size())]);
        if (number(6) == 0) filter.tags.push_back(tags[number(tags.size())]);
        if (number(3) == 0) filter.media_types.emplace_back(media_types[number(std::size(media_types))]);
        if (number(4) == 0) filter.media_types.emplace_back(number(2) == 1 ? "image/gif" : "image/png");
        if (number(3) == 0) filter.is_public = number(2) == 1;
        if (number(4) == 0) filter.created_from = static_cast<std::int64_t>(number(9)) - 4;
        if (number(4) == 0) filter.created_to = static_cast<std::int64_t>(number(9)) - 4;
        if (number(4) == 0) filter.size_from = number(7);
        if (number(4) == 0) filter.size_to = number(7);
        return filter;
    }

    image_query random_query() {
        static const std::vector<std::string> searches = {"",
                                                          "",
                                                          "",
                                                          "pump",
                                                          "P",
                                                          "%",
                                                          "_",
                                                          "a_b",
                                                          " ",
                                                          "ss",
                                                          "\xC3\x9F",
                                                          "\xC3\x84",
                                                          "\xCF\x83",
                                                          "k 7",
                                                          "\\",
                                                          "'",
                                                          "\xF0\x9F\x90\x98",
                                                          "nothing at all"};
        image_query query;
        const auto tenant = number(4);
        query.tenant = tenant == 0 ? system_tenant : tenant_number(static_cast<unsigned>(tenant));
        query.include_system = number(2) == 1;
        query.sub_type = number(3) == 0 ? image_sub_type::scada_symbol : image_sub_type::image;
        query.text_search = searches[number(searches.size())];
        query.sort = all_sorts[number(std::size(all_sorts))];
        query.descending = number(2) == 1;
        query.page_size = static_cast<std::uint32_t>(1 + number(number(2) == 1 ? 5 : 200));
        query.page = number(6);
        if (number(2) == 1) query.search_in = search_scope::names;
        if (number(2) == 1) query.filter = random_filter();
        return query;
    }

    void compare(const image_query& query) {
        const auto wanted = expect_page(content, query);
        const auto got = list(query);
        BOOST_TEST_REQUIRE(got.has_value());
        BOOST_TEST_CONTEXT("tenant " << to_string(query.tenant) << " system " << query.include_system
                                     << " search '" << query.text_search << "' sort "
                                     << static_cast<int>(query.sort) << " desc " << query.descending
                                     << " in names " << (query.search_in == search_scope::names) << " filter "
                                     << (query.filter != image_filter{}) << " page " << query.page << " of "
                                     << query.page_size) {
            BOOST_TEST(got->total == wanted.total);
            BOOST_TEST_REQUIRE(got->images.size() == wanted.images.size());
            for (std::size_t i = 0; i < wanted.images.size(); ++i) {
                BOOST_TEST_REQUIRE((got->images[i]->id == wanted.images[i]));
                BOOST_TEST_REQUIRE(
                    (*got->images[i] == content.at({got->images[i]->tenant, got->images[i]->key})));
            }
        }
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listing, listing_fixture)

BOOST_AUTO_TEST_CASE(an_empty_store_has_empty_pages) {
    for (const auto sort : all_sorts)
        for (const bool descending : {false, true}) {
            image_query query;
            query.tenant = tenant_number(1);
            query.include_system = true;
            query.sort = sort;
            query.descending = descending;
            compare(query);
        }
}

BOOST_AUTO_TEST_CASE(a_page_size_of_0_is_refused) {
    image_query query;
    query.page_size = 0;
    const auto got = list(query);
    BOOST_TEST((got.has_error() && got.error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(a_page_far_behind_the_end_is_empty_and_has_the_total) {
    put(random_image());
    image_query query;
    query.tenant = content.begin()->first.first;
    query.sub_type = content.begin()->second.sub_type;
    for (const std::uint64_t page :
         {std::uint64_t{1}, std::uint64_t{1} << 32, std::numeric_limits<std::uint64_t>::max(),
          std::numeric_limits<std::uint64_t>::max() / 2 + 1})
        for (const std::uint32_t size : {2U, 16U, std::numeric_limits<std::uint32_t>::max()}) {
            query.page = page;
            query.page_size = size;
            const auto got = list(query);
            BOOST_TEST_REQUIRE(got.has_value());
            BOOST_TEST(got->images.empty());
            BOOST_TEST(got->total == 1U);
        }
}

BOOST_AUTO_TEST_CASE(the_largest_page_size_gives_everything) {
    for (int i = 0; i < 30; ++i)
        put(random_image());
    auto query = random_query();
    query.page = 0;
    query.page_size = std::numeric_limits<std::uint32_t>::max();
    compare(query);
}

BOOST_AUTO_TEST_CASE(pages_agree_with_the_model_while_images_come_change_and_go) {
    for (int round = 0; round < 6; ++round) {
        for (int i = 0; i < 50; ++i) {
            const auto what = number(10);
            if (what < 6 || content.empty()) {
                put(random_image());
                continue;
            }
            auto at = content.begin();
            std::advance(at, static_cast<std::ptrdiff_t>(number(content.size())));
            if (what < 8) {
                auto changed = at->second;
                const auto other = random_image().record;
                changed.title = other.title;
                changed.sub_type = other.sub_type;
                const auto outcome = update(changed);
                BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
                at->second = *outcome->record;
            } else {
                BOOST_TEST_REQUIRE(erase(at->first.first, at->first.second)->status ==
                                   write_status::committed);
                content.erase(at);
            }
        }
        if (round == 3) reopen();
        for (int i = 0; i < 150; ++i)
            compare(random_query());
    }
}

BOOST_AUTO_TEST_CASE(the_pages_of_one_order_are_everything_once) {
    for (int i = 0; i < 80; ++i)
        put(random_image());
    for (const auto sort : all_sorts)
        for (const bool descending : {false, true})
            for (const std::uint32_t size : {1U, 7U}) {
                image_query query;
                query.tenant = tenant_number(1);
                query.include_system = true;
                query.sort = sort;
                query.descending = descending;
                query.page_size = size;
                const auto total = expect_page(content, query).total;
                for (; query.page * size < total + size; ++query.page)
                    compare(query);
            }
}

BOOST_AUTO_TEST_CASE(a_tenants_key_hides_the_systems_image_of_any_sub_type) {
    auto symbol = make(tenant_number(1), "valve");
    symbol.record.sub_type = image_sub_type::scada_symbol;
    auto own = make(system_tenant, "valve");
    own.record.sub_type = image_sub_type::image;
    put(own);
    image_query query;
    query.tenant = tenant_number(1);
    query.include_system = true;
    compare(query);
    BOOST_TEST(list(query)->total == 1U);
    put(symbol);
    compare(query);
    BOOST_TEST(list(query)->total == 0U);
    erase(tenant_number(1), "valve").value();
    content.erase({tenant_number(1), "valve"});
    BOOST_TEST(list(query)->total == 1U);
    // And in the other order: the system's image comes after the tenant's.
    erase(system_tenant, "valve").value();
    content.erase({system_tenant, "valve"});
    put(symbol);
    put(own);
    BOOST_TEST(list(query)->total == 0U);
    query.sub_type = image_sub_type::scada_symbol;
    compare(query);
}

BOOST_AUTO_TEST_CASE(titles_are_sorted_and_searched_folded) {
    for (const auto* title : {"b", "A", "a", "B", "\xC3\xA9", "\xC3\x89", "_", "%",
                              "Stra\xC3\x9F"
                              "e",
                              "strasse", "100%"}) {
        auto one = make(tenant_number(1), "k" + std::to_string(content.size()));
        one.record.title = title;
        put(one);
    }
    image_query query;
    query.tenant = tenant_number(1);
    query.sort = image_sort::title;
    query.page_size = 100;
    for (const auto* search : {"", "A", "\xC3\x89", "_", "%", "SS", "STRASSE",
                               "stra\xC3\x9F"
                               "e",
                               "0%"})
        for (const bool descending : {false, true}) {
            query.text_search = search;
            query.descending = descending;
            compare(query);
        }
    query.text_search = "STRASSE";
    BOOST_TEST(list(query)->total == 2U);
    query.text_search = "%";
    BOOST_TEST(list(query)->total == 2U);
}

BOOST_AUTO_TEST_CASE(titles_are_sorted_by_the_root_collation) {
    // Written down, not computed: an engine and the model could be wrong in the same way.
    const std::vector<std::string> in_order = {
        "",         " ",  "_x",           "10", "7",     "a",        "A",        "\xC3\xA4",
        "\xC3\x84", "ab", "\xC3\x84pfel", "b",  "Zebra", "\xCE\xA9", "\xD1\x8F", "\xE4\xB8\xAD"};
    for (std::size_t i = 0; i < in_order.size(); ++i) {
        const auto at = (i * 7 + 3) % in_order.size();  // in an order that is none of those asked for
        auto one = make(tenant_number(1), "k" + std::to_string(i));
        one.record.title = in_order[at];
        put(one);
    }
    image_query query;
    query.tenant = tenant_number(1);
    query.sort = image_sort::title;
    query.page_size = 5;
    for (const bool descending : {false, true}) {
        query.descending = descending;
        std::vector<std::string> got;
        for (query.page = 0; query.page * query.page_size < in_order.size(); ++query.page)
            for (const auto& record : list(query).value().images)
                got.push_back(record->title);
        if (descending) std::reverse(got.begin(), got.end());
        BOOST_TEST(got == in_order, boost::test_tools::per_element());
    }
    reopen();
    query.page = 0;
    query.descending = false;
    BOOST_TEST(list(query).value().images.at(4)->title == "7");
}

BOOST_AUTO_TEST_CASE(long_titles_and_many_images_are_found) {
    for (int i = 0; i < 300; ++i) {
        auto one = make(tenant_number(1), "k" + std::to_string(i), 1, 0);
        one.record.title = std::string(900, i % 2 == 0 ? 'x' : 'y') + std::to_string(i) + "END";
        put(one);
    }
    image_query query;
    query.tenant = tenant_number(1);
    for (const auto* search : {"x", "y7", "00end", "end", "xyz", "x2"}) {
        query.text_search = search;
        compare(query);
    }
}

BOOST_AUTO_TEST_SUITE_END()
