// SPDX-License-Identifier: Apache-2.0
#include "app/tenant_metrics.hpp"

#include "boost_test.hpp"

#include <map>
#include <string>
#include <thread>
#include <vector>

namespace gallery::app::test {

namespace {

tenant_id numbered(unsigned number) {
    tenant_id out;
    out.value.data[0] = static_cast<std::uint8_t>(number >> 8);
    out.value.data[15] = static_cast<std::uint8_t>(number);
    return out;
}

/// Requests by the number of the tenant; -1: all others.
std::map<std::string, std::uint64_t> requests(const tenant_metrics& of) {
    std::map<std::string, std::uint64_t> out;
    for (const auto& one : of.read())
        out[one.tenant ? to_string(*one.tenant) : "other"] = one.requests;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metrics_of_tenants)

BOOST_AUTO_TEST_CASE(the_first_tenants_are_counted_by_themselves_and_the_others_together) {
    tenant_metrics all(3);
    all.add(numbered(7));
    for (unsigned i = 0; i < 10; ++i) {
        const auto tenant = numbered(i);
        for (unsigned k = 0; k <= i; ++k)
            all.count(&tenant, 100);
    }
    all.count(nullptr, 5);
    const auto seen = requests(all);
    BOOST_TEST(seen.size() == 4U);
    BOOST_TEST(seen.at(to_string(numbered(7))) == 8U);
    BOOST_TEST(seen.at(to_string(numbered(0))) == 1U);
    BOOST_TEST(seen.at(to_string(numbered(1))) == 2U);
    BOOST_TEST(seen.at("other") == 55U - 8 - 1 - 2 + 1);
    std::uint64_t sent = 0;
    for (const auto& one : all.read())
        sent += one.sent;
    BOOST_TEST(sent == 55U * 100 + 5);
    BOOST_TEST(!all.read().back().tenant.has_value());
}

BOOST_AUTO_TEST_CASE(it_is_off_without_a_place) {
    tenant_metrics none(0);
    BOOST_TEST(!none.is_on());
    none.add(numbered(1));
    BOOST_TEST(none.read().size() == 1U);
}

BOOST_AUTO_TEST_CASE(threads_that_meet_lose_no_request_and_no_tenant_has_two_places) {
    constexpr unsigned threads = 4;
    constexpr unsigned tenants = 200;
    constexpr unsigned rounds = 50;
    tenant_metrics all(100);
    std::vector<std::thread> workers;
    for (unsigned t = 0; t < threads; ++t) {
        workers.emplace_back([&all] {
            for (unsigned i = 0; i < rounds * tenants; ++i) {
                const auto tenant = numbered(i % tenants);
                all.count(&tenant, 1);
            }
        });
    }
    for (auto& one : workers)
        one.join();
    const auto figures = all.read();
    BOOST_TEST(figures.size() <= 101U);
    BOOST_TEST(requests(all).size() == figures.size());
    std::uint64_t sum = 0;
    for (const auto& one : figures) {
        sum += one.requests;
        if (one.tenant) BOOST_TEST(one.requests <= threads * rounds);
    }
    BOOST_TEST(sum == std::uint64_t{threads} * rounds * tenants);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::app::test
