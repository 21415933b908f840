// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"

#include "http/timer_wheel.hpp"

#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace gallery::http::test {

namespace {
struct entry final : timer_wheel::node {
    int id = 0;
};

std::vector<int> tick(timer_wheel& wheel) {
    std::vector<int> expired;
    wheel.advance([&](timer_wheel::node& due) { expired.push_back(static_cast<entry&>(due).id); });
    return expired;
}
}  // namespace

BOOST_AUTO_TEST_SUITE(timers)

BOOST_AUTO_TEST_CASE(a_deadline_passes_at_its_tick_once) {
    timer_wheel wheel;
    entry a;
    wheel.arm_in(a, 3);
    BOOST_TEST(tick(wheel).size() == 0U);
    BOOST_TEST(tick(wheel).size() == 0U);
    BOOST_TEST(tick(wheel).size() == 1U);
    BOOST_TEST(tick(wheel).size() == 0U);
    wheel.arm_in(a, 1);
    wheel.disarm(a);
    BOOST_TEST(tick(wheel).size() == 0U);
    wheel.arm(a, 0);  // long ago: the next tick
    BOOST_TEST(tick(wheel).size() == 1U);
}

BOOST_AUTO_TEST_CASE(entries_may_be_armed_and_destroyed_while_others_expire) {
    timer_wheel wheel;
    auto a = std::make_unique<entry>();
    auto b = std::make_unique<entry>();
    entry c;
    for (timer_wheel::node* each :
         {static_cast<timer_wheel::node*>(a.get()), static_cast<timer_wheel::node*>(b.get()),
          static_cast<timer_wheel::node*>(&c)}) {
        wheel.arm_in(*each, 1);
    }
    int expired = 0;
    wheel.advance([&](timer_wheel::node& due) {
        ++expired;
        if (&due == a.get()) b.reset();
        wheel.arm_in(c, 1);
    });
    BOOST_TEST(expired == 1);
    BOOST_TEST(tick(wheel).size() == 1U);
    wheel.arm_in(*a, 5);
    a.reset();
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(tick(wheel).empty());
}

BOOST_AUTO_TEST_CASE(the_wheel_agrees_with_a_sorted_list) {
    std::mt19937 random(7);
    timer_wheel wheel;
    std::vector<std::unique_ptr<entry>> entries;
    std::map<int, timer_wheel::tick> model;
    for (int i = 0; i < 200; ++i) {
        entries.push_back(std::make_unique<entry>());
        entries.back()->id = i;
    }
    for (int step = 0; step < 3000; ++step) {
        for (int i = 0; i < 5; ++i) {
            const int id = static_cast<int>(random() % entries.size());
            if (random() % 4 == 0) {
                wheel.disarm(*entries[static_cast<std::size_t>(id)]);
                model.erase(id);
            } else {
                const auto due = wheel.now() + 1 + random() % 700;
                wheel.arm(*entries[static_cast<std::size_t>(id)], due);
                model[id] = due;
            }
        }
        const auto got = tick(wheel);
        std::set<int> expected;
        for (auto at = model.begin(); at != model.end();) {
            if (at->second <= wheel.now()) {
                expected.insert(at->first);
                at = model.erase(at);
            } else {
                ++at;
            }
        }
        BOOST_REQUIRE((std::set<int>(got.begin(), got.end()) == expected));
        BOOST_REQUIRE_EQUAL(got.size(), expected.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
