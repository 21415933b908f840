// SPDX-License-Identifier: Apache-2.0
// The map with an order of use and a bound, compared with a plain list.
#include <gallery/bounded_lru.hpp>

#include "boost_test.hpp"

#include <algorithm>
#include <cstdint>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace gallery;

namespace {

using text_lru = bounded_lru<std::string, int, text_hash>;

/// All keys in one chain.
struct worst_hash {
    std::size_t operator()(std::uint64_t) const noexcept { return 42; }
};

template <class Lru>
std::vector<std::string> order_of(const Lru& lru) {
    std::vector<std::string> keys;
    for (const auto* at = lru.oldest(); at != nullptr; at = at->newer())
        keys.push_back(at->key);
    return keys;
}

/// What the map promises, in the simplest way.
class model {
public:
    explicit model(std::uint64_t bound) : bound_(bound) {}
    const int* find(std::uint64_t key) {
        const auto at = place_of(key);
        if (at == all_.end()) return nullptr;
        all_.splice(all_.end(), all_, at);
        return &at->value;
    }
    void put(std::uint64_t key, int value, std::uint64_t cost) {
        erase(key);
        if (cost > bound_) return;
        all_.push_back({key, value, cost});
        while (cost_of_all() > bound_)
            all_.pop_front();
    }
    void erase(std::uint64_t key) {
        const auto at = place_of(key);
        if (at != all_.end()) all_.erase(at);
    }
    [[nodiscard]] std::uint64_t cost_of_all() const {
        std::uint64_t sum = 0;
        for (const auto& each : all_)
            sum += each.cost;
        return sum;
    }
    [[nodiscard]] std::vector<std::uint64_t> order() const {
        std::vector<std::uint64_t> keys;
        for (const auto& each : all_)
            keys.push_back(each.key);
        return keys;
    }

private:
    struct item {
        std::uint64_t key;
        int value;
        std::uint64_t cost;
    };
    std::list<item>::iterator place_of(std::uint64_t key) {
        return std::find_if(all_.begin(), all_.end(), [key](const item& each) { return each.key == key; });
    }
    std::uint64_t bound_;
    std::list<item> all_;  // the oldest first
};

template <class Hash>
void behaves_like_the_model(std::uint64_t keys) {
    std::mt19937 random(11);
    bounded_lru<std::uint64_t, int, Hash> lru(100);
    model expected(100);
    for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t key = random() % keys;
        switch (random() % 4) {
            case 0:
                lru.erase(key);
                expected.erase(key);
                break;
            case 1: {
                const auto* found = lru.find(key);
                const auto* wanted = expected.find(key);
                BOOST_TEST_REQUIRE((found == nullptr) == (wanted == nullptr));
                if (found != nullptr) BOOST_TEST_REQUIRE(found->value == *wanted);
                break;
            }
            default: {
                const std::uint64_t cost = random() % 8 == 0 ? 90 + random() % 20 : random() % 10;
                lru.put(key, step, cost);
                expected.put(key, step, cost);
            }
        }
        BOOST_TEST_REQUIRE(lru.cost() == expected.cost_of_all());
        if (step % 16 != 0) continue;
        std::vector<std::uint64_t> order;
        for (const auto* at = lru.oldest(); at != nullptr; at = at->newer())
            order.push_back(at->key);
        BOOST_TEST_REQUIRE(order == expected.order(), boost::test_tools::per_element());
        BOOST_TEST_REQUIRE(lru.size() == order.size());
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bounded_lrus)

BOOST_AUTO_TEST_CASE(it_behaves_like_a_list_that_is_searched) {
    behaves_like_the_model<std::hash<std::uint64_t>>(60);
    behaves_like_the_model<std::hash<std::uint64_t>>(5'000);
    behaves_like_the_model<worst_hash>(40);
}

BOOST_AUTO_TEST_CASE(the_least_recently_used_entry_is_evicted_and_a_peek_is_not_a_use) {
    text_lru lru(3);
    for (const char* key : {"a", "b", "c"})
        lru.put(key, 0, 1);
    BOOST_TEST((lru.peek("a") != nullptr));
    BOOST_TEST((lru.find("b") != nullptr));
    lru.put("d", 0, 1);
    BOOST_TEST(order_of(lru) == (std::vector<std::string>{"c", "b", "d"}), boost::test_tools::per_element());
    BOOST_TEST(lru.evictions() == 1U);
    BOOST_TEST((lru.find(std::string_view("a")) == nullptr));
}

BOOST_AUTO_TEST_CASE(an_entry_that_can_never_fit_is_not_stored_and_evicts_nothing) {
    text_lru lru(10);
    lru.put("a", 1, 4);
    lru.put("b", 2, 6);
    BOOST_TEST((lru.put("c", 3, 11) == nullptr));
    BOOST_TEST((lru.put("c", 3, UINT64_MAX) == nullptr));
    BOOST_TEST(lru.size() == 2U);
    BOOST_TEST((lru.put("b", 3, 11) == nullptr));
    BOOST_TEST((lru.peek("b") == nullptr), "the earlier value of the key is not returned again");
    BOOST_TEST((lru.put("d", 4, 10) != nullptr));
    BOOST_TEST(order_of(lru) == std::vector<std::string>{"d"}, boost::test_tools::per_element());
    text_lru none(0);
    BOOST_TEST((none.put("a", 1, 1) == nullptr));
    BOOST_TEST((none.find("a") == nullptr));
    BOOST_TEST((none.put("a", 1, 0) != nullptr));
}

BOOST_AUTO_TEST_CASE(an_entry_stays_where_it_is_while_others_come_and_go) {
    bounded_lru<std::uint64_t, int> lru(1'000'000);
    auto* const first = lru.put(7, 70, 1);
    for (std::uint64_t i = 100; i < 10'000; ++i)
        lru.put(i, 0, 1);
    BOOST_TEST((lru.find(std::uint64_t{7}) == first));
    for (std::uint64_t i = 100; i < 10'000; ++i)
        BOOST_TEST_REQUIRE(lru.erase(i));
    BOOST_TEST((lru.peek(std::uint64_t{7}) == first));
    BOOST_TEST(first->value == 70);
    BOOST_TEST(lru.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_extracted_entry_lives_on_and_can_be_stored_again) {
    bounded_lru<std::string, std::unique_ptr<int>, text_hash> lru(10);
    lru.put("a", std::make_unique<int>(1), 4);
    auto taken = lru.extract(*lru.peek("a"));
    BOOST_TEST(lru.size() == 0U);
    BOOST_TEST(lru.cost() == 0U);
    BOOST_TEST(*taken->value == 1);
    BOOST_TEST(lru.make_room(7));
    lru.insert(std::move(taken), 7);
    BOOST_TEST(lru.cost() == 7U);
    BOOST_TEST(*lru.find("a")->value == 1);
    lru.recharge(*lru.peek("a"), 12);
    BOOST_TEST(lru.cost() == 12U);
    BOOST_TEST((lru.put("b", nullptr, 1) != nullptr));
    BOOST_TEST((lru.peek("a") == nullptr));
}

BOOST_AUTO_TEST_CASE(everything_is_destroyed_with_the_map) {
    const auto shared = std::make_shared<int>(0);
    {
        bounded_lru<std::uint64_t, std::shared_ptr<int>> lru(50);
        for (std::uint64_t i = 0; i < 100; ++i)
            lru.put(i, shared, 1);
        BOOST_TEST(shared.use_count() == 51);
        lru.clear();
        BOOST_TEST(shared.use_count() == 1);
        lru.put(1, shared, 1);
    }
    BOOST_TEST(shared.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_lower_bound_is_reached_by_making_room_and_a_higher_one_at_once) {
    bounded_lru<std::uint64_t, int> lru(10);
    for (std::uint64_t i = 0; i < 10; ++i)
        BOOST_TEST(lru.put(i, 0, 1) != nullptr);
    lru.set_bound(3);
    BOOST_TEST(lru.size() == 10U);
    BOOST_TEST(lru.make_room(0));
    BOOST_TEST(lru.size() == 3U);
    BOOST_TEST(lru.peek(std::uint64_t{9}) != nullptr);
    BOOST_TEST(lru.peek(std::uint64_t{6}) == nullptr);
    BOOST_TEST(lru.put(20, 0, 4) == nullptr);
    lru.set_bound(20);
    BOOST_TEST(lru.put(20, 0, 17) != nullptr);
    BOOST_TEST(lru.size() == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
