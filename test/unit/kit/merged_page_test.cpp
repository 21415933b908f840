// SPDX-License-Identifier: Apache-2.0
// Pages of two ordered lists that are merged, held to the merged list itself.
#include <gallery/kit/merged_page.hpp>

#include "boost_test.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

using namespace gallery;
using gallery::kit::comes_before;
using gallery::kit::visible_positions;

namespace {

struct entry {
    int value = 0;
    image_id id;
    bool of_system = false;

    friend bool operator==(const entry&, const entry&) = default;
};

using entries = std::vector<entry>;

/// Few values, so that most are equal.
entries random_list(std::mt19937& random, std::size_t size, bool of_system) {
    entries made(size);
    for (auto& one : made) {
        one.value = static_cast<int>(random() % 4);
        for (auto& byte : one.id.value.data)
            byte = static_cast<std::uint8_t>(random());
        one.of_system = of_system;
    }
    return made;
}

struct order {
    bool descending;
    bool operator()(const entry& a, const entry& b) const {
        return comes_before(a.value, a.id, b.value, b.id, descending);
    }
};

/// A page as an engine gets it, and what that cost.
struct page {
    entries found;
    std::size_t ranks = 0;
    std::size_t steps = 0;
};

page page_of(const entries& own, const entries& system, order before, std::uint64_t first,
             std::uint64_t count) {
    page made;
    const auto start = kit::start_of_page(first, system.size(), [&](std::uint64_t i) {
        ++made.ranks;
        const auto at = std::lower_bound(own.begin(), own.end(), system.at(i), before);
        return result<std::uint64_t>(static_cast<std::uint64_t>(at - own.begin()));
    });
    BOOST_TEST_REQUIRE(start.has_value());
    BOOST_TEST(start->own + start->system == first);
    auto next_own = [&, at = start->own]() mutable {
        ++made.steps;
        return result<const entry*>(at < own.size() ? &own[at++] : nullptr);
    };
    // As an engine reads its own index: entry by entry.
    auto next_system = [&, at = start->system]() mutable {
        ++made.steps;
        return result<std::optional<entry>>(at < system.size() ? std::optional(system[at++]) : std::nullopt);
    };
    const auto merged = kit::merge_lists(next_own, next_system, before, 0, count,
                                         [&](const entry& one) { made.found.push_back(one); });
    BOOST_TEST(merged.has_value());
    return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(merged_pages)

BOOST_AUTO_TEST_CASE(each_page_is_a_part_of_the_merged_list_and_costs_as_much_as_it_has_entries) {
    std::mt19937 random(7);
    for (const std::size_t own_size : {0U, 1U, 2U, 40U})
        for (const std::size_t system_size : {0U, 1U, 3U, 33U})
            for (const bool descending : {false, true}) {
                const order before{descending};
                auto own = random_list(random, own_size, false);
                auto system = random_list(random, system_size, true);
                std::sort(own.begin(), own.end(), before);
                std::sort(system.begin(), system.end(), before);
                entries all;
                std::merge(own.begin(), own.end(), system.begin(), system.end(), std::back_inserter(all),
                           before);
                for (std::size_t first = 0; first <= all.size(); ++first)
                    for (const std::size_t count : {0U, 1U, 7U, 100U}) {
                        const auto got = page_of(own, system, before, first, count);
                        const auto end = std::min(all.size(), first + count);
                        const entries wanted(all.begin() + static_cast<std::ptrdiff_t>(first),
                                             all.begin() + static_cast<std::ptrdiff_t>(end));
                        BOOST_TEST_REQUIRE((got.found == wanted));
                        BOOST_TEST(got.ranks <= 6U);  // of 33
                        BOOST_TEST(got.steps <= wanted.size() + 2);
                    }
            }
}

BOOST_AUTO_TEST_CASE(a_start_without_ranks_passes_over_the_entries_before_the_page) {
    std::mt19937 random(8);
    const order before{true};
    auto own = random_list(random, 20, false);
    auto system = random_list(random, 10, true);
    std::sort(own.begin(), own.end(), before);
    std::sort(system.begin(), system.end(), before);
    entries found;
    const auto next_in = [](const entries& list) {
        return [&list, at = std::size_t{0}]() mutable {
            return result<const entry*>(at < list.size() ? &list[at++] : nullptr);
        };
    };
    const auto merged = kit::merge_lists(next_in(own), next_in(system), before, 13, 9,
                                         [&](const entry& one) { found.push_back(one); });
    BOOST_TEST(merged.has_value());
    BOOST_TEST((found == page_of(own, system, before, 13, 9).found));
}

BOOST_AUTO_TEST_CASE(what_a_list_fails_with_is_what_the_page_fails_with) {
    const error broken{errc::io_error, "the disk is broken"};
    const auto start = kit::start_of_page(3, 5, [&](std::uint64_t) { return result<std::uint64_t>(broken); });
    BOOST_TEST_REQUIRE(start.has_error());
    BOOST_TEST((start.error() == broken));

    const entry one;
    for (const bool own_fails : {false, true})
        for (const int good : {0, 1, 2}) {
            const auto list = [&](bool fails) {
                return [&, fails, left = good]() mutable {
                    if (!fails) return result<const entry*>(&one);
                    if (left-- == 0) return result<const entry*>(broken);
                    return result<const entry*>(&one);
                };
            };
            const auto merged = kit::merge_lists(
                list(own_fails), list(!own_fails), [&](const entry&, const entry&) { return own_fails; }, 0,
                5, [](const entry&) {});
            BOOST_TEST_REQUIRE(merged.has_error());
            BOOST_TEST((merged.error() == broken));
        }
}

BOOST_AUTO_TEST_CASE(positions_without_hidden_entries_count_as_the_list_without_them) {
    std::mt19937 random(9);
    for (unsigned round = 0; round < 200; ++round) {
        const std::size_t all = random() % 30;
        std::vector<std::size_t> hidden;
        std::vector<std::size_t> visible;
        for (std::size_t i = 0; i < all; ++i)
            (random() % 3 == 0 ? hidden : visible).push_back(i);
        std::shuffle(hidden.begin(), hidden.end(), random);
        const visible_positions positions(all, hidden);
        BOOST_TEST_REQUIRE(positions.size() == visible.size());
        for (std::size_t i = 0; i < visible.size(); ++i)
            BOOST_TEST_REQUIRE(positions.whole_position(i) == visible[i]);
        BOOST_TEST_REQUIRE(positions.whole_position(visible.size()) == all);
        for (std::size_t whole = 0; whole <= all; ++whole)
            BOOST_TEST_REQUIRE(
                positions.visible_before(whole) ==
                static_cast<std::size_t>(std::lower_bound(visible.begin(), visible.end(), whole) -
                                         visible.begin()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
