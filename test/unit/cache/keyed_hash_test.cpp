// SPDX-License-Identifier: Apache-2.0
#include "cache/keyed_hash.hpp"

#include "boost_test.hpp"

#include <set>
#include <string>
#include <vector>

using namespace gallery::cache;

BOOST_AUTO_TEST_SUITE(hash)

BOOST_AUTO_TEST_CASE(texts_that_differ_in_any_byte_or_in_length_differ) {
    const std::array<std::uint64_t, 2> secret{0x123456789abcdef1, 0xfedcba9876543211};
    std::set<std::uint64_t> seen;
    std::size_t count = 0;
    for (std::size_t size = 0; size < 70; ++size) {
        const std::string zeros(size, '\0');
        seen.insert(keyed_hash(secret, zeros));
        ++count;
        for (std::size_t at = 0; at < size; ++at)
            for (const char c : {'\1', 'a', '\xff'}) {
                std::string text = zeros;
                text[at] = c;
                seen.insert(keyed_hash(secret, text));
                ++count;
            }
    }
    BOOST_TEST(seen.size() == count);
}

BOOST_AUTO_TEST_CASE(another_secret_gives_another_hash) {
    BOOST_TEST(keyed_hash({1, 3}, "cat.png") != keyed_hash({1, 5}, "cat.png"));
    BOOST_TEST(keyed_hash({1, 3}, "cat.png") != keyed_hash({5, 3}, "cat.png"));
    BOOST_TEST(keyed_hash({1, 3}, "cat.png", 1) != keyed_hash({1, 3}, "cat.png", 2));
}

BOOST_AUTO_TEST_CASE(numbered_names_spread_evenly) {
    constexpr std::size_t buckets = 64;
    constexpr std::size_t names = 64 * 1'000;
    for (const int shift : {0, 29, 58}) {
        std::vector<std::size_t> counts(buckets);
        for (std::size_t n = 0; n < names; ++n)
            ++counts[keyed_hash(hash_secret(), "image_" + std::to_string(n) + ".png") >> shift &
                     (buckets - 1)];
        // Twelve standard deviations of a fair spread.
        for (const auto each : counts)
            BOOST_TEST((each > 620 && each < 1'380));
    }
}

BOOST_AUTO_TEST_SUITE_END()
