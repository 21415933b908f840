// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"

#include "config/load.hpp"
#include "config/networks.hpp"

#include <map>
#include <optional>
#include <string>

using namespace gallery::config;
using boost::asio::ip::make_address;

BOOST_AUTO_TEST_SUITE(networks_of_proxies)

BOOST_AUTO_TEST_CASE(contain_what_has_their_prefix) {
    const auto all = networks::parse("127.0.0.1, 10.16.0.0/12,2001:db8::/33 ,::1").value();
    for (const char* inside : {"127.0.0.1", "10.16.0.0", "10.31.255.255", "2001:db8:7fff::1", "::1",
                               "::ffff:127.0.0.1", "::ffff:10.17.0.1"}) {
        BOOST_TEST(all.contain(make_address(inside)), inside);
    }
    for (const char* outside : {"127.0.0.2", "10.15.255.255", "10.32.0.0", "2001:db8:8000::1", "::2",
                                "::", "0.0.0.1", "::ffff:127.0.0.2"}) {
        BOOST_TEST(!all.contain(make_address(outside)), outside);
    }
}

BOOST_AUTO_TEST_CASE(of_nothing_contain_nothing_and_of_all_all_of_their_kind) {
    for (const char* text : {"", " ", ",", " , "}) {
        const auto none = networks::parse(text).value();
        BOOST_TEST(none.empty());
        BOOST_TEST(!none.contain(make_address("127.0.0.1")));
    }
    const auto four = networks::parse("0.0.0.0/0").value();
    BOOST_TEST(four.contain(make_address("203.0.113.7")));
    BOOST_TEST(!four.contain(make_address("2001:db8::1")));
    BOOST_TEST(networks::parse("::/0").value().contain(make_address("203.0.113.7")));
    BOOST_TEST(networks::parse("10.1.2.3/8").value().contain(make_address("10.9.9.9")));
}

BOOST_AUTO_TEST_CASE(malformed_ones_are_named) {
    for (const char* text : {"localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "::/129",
                             "10.0.0.0/8/8", "127.0.0.1:80", "127.0.0.1 10.0.0.1", "*", "fe80::1%1"}) {
        const auto refused = networks::parse(std::string("::1,") + text);
        BOOST_REQUIRE_MESSAGE(refused.has_error(), text);
        BOOST_TEST((refused.error().code == gallery::errc::invalid_argument));
        BOOST_TEST(refused.error().message.find(text) != std::string::npos, text);
    }
}

BOOST_AUTO_TEST_CASE(are_a_setting_that_believes_nobody_by_default) {
    const auto with = [](std::optional<std::string> value) {
        return load_text("", "my.yml", [value](const std::string& name) {
            return name == "HTTP_TRUSTED_PROXIES" ? value : std::nullopt;
        });
    };
    BOOST_TEST(with({}).value().values.server.trusted_proxies.empty());
    BOOST_TEST(with("10.0.0.5").value().values.server.trusted_proxies.contain(make_address("10.0.0.5")));
    const auto refused = with("proxy.example");
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().message.find("server.trusted_proxies: expected addresses and networks") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
