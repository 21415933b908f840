// SPDX-License-Identifier: Apache-2.0
// Limits of requests, with a clock of the test.
#include "auth/request_limit.hpp"
#include "auth/client_limit.hpp"
#include "auth/principal.hpp"
#include "boost_test.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace gallery;
using namespace gallery::auth;
using namespace std::chrono_literals;
using moment = request_rate::clock::time_point;

constexpr std::optional<std::uint32_t> allowed;
const moment noon = moment(1'000h);

struct request_limit_fixture {
    std::atomic<std::uint64_t> refused{0};

    std::shared_ptr<request_limit> limit(std::vector<request_rate> rates) {
        return std::make_shared<request_limit>(std::move(rates), refused);
    }
    /// How many requests at this time are allowed until the first one that is not.
    static unsigned burst(request_limit& of, moment now) {
        unsigned count = 0;
        while (!of.take(now))
            ++count;
        return count;
    }
};

network_key client(const char* address) {
    return network_key_of(parse_address(address).value());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(limits_of_requests, request_limit_fixture)

BOOST_AUTO_TEST_CASE(as_many_requests_at_once_as_the_rate_says_and_then_one_per_interval) {
    const auto ten = limit({{10, 5}});
    BOOST_TEST(burst(*ten, noon) == 10U);
    BOOST_TEST((ten->take(noon + 499ms) == 1U));
    BOOST_TEST((ten->take(noon + 500ms) == allowed));
    BOOST_TEST((ten->take(noon + 500ms) == 1U));
    BOOST_TEST(burst(*ten, noon + 1s) == 1U);
    // An idle tenant has a full bucket again, and no more.
    BOOST_TEST(burst(*ten, noon + 1h) == 10U);
    BOOST_TEST(refused == 5U);
}

BOOST_AUTO_TEST_CASE(no_period_has_more_requests_than_the_rate_says) {
    const auto three = limit({{3, 1}});
    BOOST_TEST(burst(*three, noon) == 3U);
    unsigned count = 0;
    for (auto now = noon; now < noon + 10s; now += 1ms)
        count += three->take(now) ? 0 : 1;
    BOOST_TEST(count <= 30U);
    BOOST_TEST(count >= 29U);
}

BOOST_AUTO_TEST_CASE(all_rates_apply_and_a_refused_request_takes_from_none) {
    const auto both = limit({{2, 1}, {3, 60}});
    BOOST_TEST(burst(*both, noon) == 2U);
    // Refused by the first rate many times; the second one has still one request.
    for (int i = 0; i < 10; ++i)
        BOOST_TEST((both->take(noon) == 1U));
    BOOST_TEST((both->take(noon + 1s) == allowed));
    // The second rate refuses, which the first one does not count either.
    BOOST_TEST((both->take(noon + 1s) == 19U));
    BOOST_TEST((both->take(noon + 20s) == allowed));
    BOOST_TEST((both->take(noon + 20s) == 20U));
}

BOOST_AUTO_TEST_CASE(the_waiting_time_is_that_of_the_slowest_rate_in_whole_seconds) {
    const auto slow = limit({{1, 1}, {1, 100}});
    BOOST_TEST((slow->take(noon) == allowed));
    BOOST_TEST((slow->take(noon) == 100U));
    BOOST_TEST((slow->take(noon + 50s + 1ms) == 50U));
    BOOST_TEST((slow->take(noon + 99s + 999ms) == 1U));
    BOOST_TEST((slow->take(noon + 100s) == allowed));
}

BOOST_AUTO_TEST_CASE(the_largest_and_the_slowest_rate_work) {
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    const auto fast = limit({{most, 1}});
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST_REQUIRE((fast->take(noon) == allowed));
    const auto slow = limit({{1, most}});
    BOOST_TEST((slow->take(noon) == allowed));
    BOOST_TEST((slow->take(noon) == most));
    BOOST_TEST((slow->take(noon + std::chrono::seconds(most) - 1s) == 1U));
    BOOST_TEST((slow->take(noon + std::chrono::seconds(most)) == allowed));
}

BOOST_AUTO_TEST_CASE(no_number_of_threads_gets_more) {
    constexpr unsigned thread_count = 8;
    const auto shared = limit({{1'000, 60}, {700, 3'600}});
    std::atomic<unsigned> taken{0};
    {
        std::latch all_are_there(thread_count);
        std::vector<std::jthread> threads;
        for (unsigned t = 0; t < thread_count; ++t)
            threads.emplace_back([&] {
                all_are_there.arrive_and_wait();
                for (int i = 0; i < 500; ++i)
                    taken += shared->take(noon) ? 0 : 1;
            });
    }
    BOOST_TEST(taken == 700U);
    BOOST_TEST(refused == thread_count * 500U - 700U);
}

BOOST_AUTO_TEST_CASE(a_request_counts_for_the_customer_and_the_tenant_or_for_none) {
    principal who;
    BOOST_TEST(take_request(who).has_value());
    // Slow enough that no request comes back while the test runs.
    who.tenant_requests = limit({{2, 1'000'000}});
    who.customer_requests = limit({{1, 1'000'000}});
    BOOST_TEST(take_request(who).has_value());
    const auto by_customer = take_request(who);
    BOOST_TEST_REQUIRE(by_customer.has_error());
    BOOST_TEST((by_customer.error().code == errc::too_many_requests));
    BOOST_TEST(by_customer.error().retry_after > 999'000U);
    BOOST_TEST(by_customer.error().message.find("Too many requests for current customer!") == 0U);
    BOOST_TEST(by_customer.error().message.find("1 request in 1000000 s") != std::string::npos);

    principal administrator;
    administrator.tenant_requests = who.tenant_requests;
    BOOST_TEST(take_request(administrator).has_value());
    const auto by_tenant = take_request(administrator);
    BOOST_TEST_REQUIRE(by_tenant.has_error());
    BOOST_TEST(by_tenant.error().message.find("Too many requests for current tenant!") == 0U);

    // Where the tenant's limit refuses, the customer's is not used up.
    principal other;
    other.tenant_requests = who.tenant_requests;
    other.customer_requests = limit({{1, 1'000'000}});
    BOOST_TEST(take_request(other).has_error());
    other.tenant_requests.reset();
    BOOST_TEST(take_request(other).has_value());
}

BOOST_AUTO_TEST_CASE(each_client_has_its_own_buckets) {
    client_limit each({{2, 1}, {3, 60}});
    const auto first = client("192.0.2.1");
    const auto second = client("192.0.2.2");
    BOOST_TEST((each.take(first, noon) == allowed));
    BOOST_TEST((each.take(first, noon) == allowed));
    BOOST_TEST((each.take(first, noon) == 1U));
    BOOST_TEST((each.take(second, noon) == allowed));
    BOOST_TEST((each.take(first, noon + 1s) == allowed));
    BOOST_TEST((each.take(first, noon + 1s) == 19U));
    BOOST_TEST((each.take(second, noon + 1s) == allowed));
}

BOOST_AUTO_TEST_CASE(a_network_of_ipv6_and_both_forms_of_an_ipv4_address_are_one_client) {
    BOOST_TEST((client("2001:db8::1") == client("2001:db8::ffff:2")));
    BOOST_TEST((client("2001:db8::1") != client("2001:db8:0:1::1")));
    BOOST_TEST((client("192.0.2.1") == client("::ffff:192.0.2.1")));
    BOOST_TEST(!parse_address("unknown").has_value());
    BOOST_TEST(!parse_address(std::string(200, '1')).has_value());
}

BOOST_AUTO_TEST_CASE(of_too_many_clients_those_that_came_longest_ago_are_forgotten) {
    client_limit few({{1, 1'000}}, client_limit::shard_count);
    const auto first = client("192.0.2.1");
    BOOST_TEST((few.take(first, noon) == allowed));
    BOOST_TEST((few.take(first, noon) != allowed));
    for (int i = 0; i < 1'000; ++i)
        static_cast<void>(few.take(client(("2001:db8:0:" + std::to_string(i) + "::").c_str()), noon));
    BOOST_TEST((few.take(first, noon) == allowed));
}

BOOST_AUTO_TEST_SUITE_END()
