// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"
#include "cache_fixture.hpp"

#include <algorithm>
#include <list>
#include <random>
#include <string>

using namespace gallery::cache;
using namespace gallery::cache::test;
using namespace std::chrono_literals;

namespace {

/// The promise in its plainest form: a list in the order of use, newest first.
struct model {
    struct entry {
        std::string text;
        std::uint8_t variant;
        std::uint64_t value;
        time_point used;
    };
    std::list<entry> order;
    std::uint64_t bytes = 0;
    std::uint64_t evictions = 0;
    std::uint64_t expiries = 0;

    auto look_up(const std::string& text, std::uint8_t variant) {
        return std::find_if(order.begin(), order.end(),
                            [&](const entry& e) { return e.text == text && e.variant == variant; });
    }
    void remove(std::list<entry>::iterator at) {
        bytes -= occupied(at->text.size());
        order.erase(at);
    }
};

void compare_with_model(unsigned seed, std::size_t bound, std::size_t longest_key, int operations) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    number_lru cache(bound, life);
    model expected;
    expected.bytes = index_bytes(bound);
    auto now = start;

    for (int i = 0; i < operations; ++i) {
        // Low numbers are used more often; a name's length depends on its number only.
        const auto n = below(1 + below(120));
        const auto text = name(n, 3 + n * 7 % longest_key);
        const auto variant = static_cast<std::uint8_t>(below(2));
        const auto k = key(text, variant);
        const auto known = expected.look_up(text, variant);
        now += std::chrono::seconds(below(20));

        if (const auto what = below(100); what < 40) {
            const auto value = random();
            BOOST_REQUIRE(fill(cache, k, value, now));
            if (known != expected.order.end()) {
                known->value = value;
                known->used = now;
                expected.order.splice(expected.order.begin(), expected.order, known);
            } else {
                while (expected.bytes + occupied(text.size()) > cache.max_bytes()) {
                    ++(now - expected.order.back().used >= life ? expected.expiries : expected.evictions);
                    expected.remove(std::prev(expected.order.end()));
                }
                expected.order.push_front({text, variant, value, now});
                expected.bytes += occupied(text.size());
            }
        } else if (what < 43) {
            std::size_t count = 0;
            for (const std::uint8_t each : {0, 1})
                if (const auto at = expected.look_up(text, each); at != expected.order.end()) {
                    expected.remove(at);
                    ++count;
                }
            BOOST_REQUIRE(cache.erase(k) == count);
        } else if (what < 44) {
            std::size_t count = 0;
            while (!expected.order.empty() && now - expected.order.back().used >= life) {
                expected.remove(std::prev(expected.order.end()));
                ++count;
            }
            BOOST_REQUIRE(cache.sweep(now) == count);
            expected.expiries += count;
        } else if (what < 45) {
            if (below(20) == 0) {
                cache.clear();
                expected.order.clear();
                expected.bytes = index_bytes(bound);
            } else {
                now += 10min;
            }
        } else {
            const auto found = find(cache, k, now);
            if (known == expected.order.end()) {
                BOOST_REQUIRE(!found.has_value());
            } else if (now - known->used >= life) {
                BOOST_REQUIRE(!found.has_value());
                expected.remove(known);
                ++expected.expiries;
            } else {
                BOOST_REQUIRE(found.has_value());
                BOOST_REQUIRE(*found == known->value);
                known->used = now;
                expected.order.splice(expected.order.begin(), expected.order, known);
            }
        }
        const auto counters = cache.counters();
        BOOST_REQUIRE(counters.entries == expected.order.size());
        BOOST_REQUIRE(counters.bytes == expected.bytes);
        BOOST_REQUIRE(counters.bytes <= bound);
        BOOST_REQUIRE(counters.evictions == expected.evictions);
        BOOST_REQUIRE(counters.expiries == expected.expiries);
    }
    for (const auto& left : expected.order) {
        const auto found = find(cache, key(left.text, left.variant), left.used);
        BOOST_REQUIRE(found.has_value());
        BOOST_REQUIRE(*found == left.value);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lru_model)

BOOST_AUTO_TEST_CASE(any_sequence_of_operations_leaves_what_the_plain_model_has) {
    for (unsigned seed = 0; seed < 8; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            compare_with_model(seed, 12'000, 40, 20'000);
            compare_with_model(seed, 20'000, 1'000, 20'000);
            compare_with_model(seed, 4'096, 300, 5'000);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
