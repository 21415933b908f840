// SPDX-License-Identifier: Apache-2.0
// Where a server is, from what people write.
#include "admin/address.hpp"

#include "boost_test.hpp"

#include <string>

namespace gallery::admin {

BOOST_AUTO_TEST_SUITE(addresses)

BOOST_AUTO_TEST_CASE(hosts_ports_and_paths_are_told_apart) {
    struct sample {
        const char *url, *host, *port, *authority, *base;
        bool tls;
    };
    for (const auto& one : {
             sample{"http://127.0.0.1:8080", "127.0.0.1", "8080", "127.0.0.1:8080", "", false},
             sample{"http://127.0.0.1:8080/", "127.0.0.1", "8080", "127.0.0.1:8080", "", false},
             sample{"https://gallery.example", "gallery.example", "443", "gallery.example", "", true},
             sample{"http://gallery.example/images//", "gallery.example", "80", "gallery.example", "/images",
                    false},
             sample{"https://[::1]", "::1", "443", "[::1]", "", true},
             sample{"https://[2001:db8::7]:8443/g", "2001:db8::7", "8443", "[2001:db8::7]:8443", "/g", true},
         }) {
        const auto parsed = parse_address(one.url);
        BOOST_TEST_REQUIRE(parsed.has_value(), one.url);
        BOOST_TEST(parsed->host == one.host);
        BOOST_TEST(parsed->port == one.port);
        BOOST_TEST(parsed->authority == one.authority);
        BOOST_TEST(parsed->base == one.base);
        BOOST_TEST(parsed->tls == one.tls);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_refused) {
    for (const char* url :
         {"", "127.0.0.1:8080", "ftp://x", "http://", "http://:80", "http://x:", "http://x:0",
          "http://x:65536", "http://x:8o", "http://::1:80", "http://[::1", "http://[::1]80", "http://x y",
          "http://x\r\nA: b", "http://x/?a=b", "http://x#a"}) {
        BOOST_TEST(parse_address(url).has_error(), url);
    }
}

BOOST_AUTO_TEST_CASE(an_address_with_a_password_is_refused_without_repeating_it) {
    for (const char* url : {"https://me:sesame@x", "me:sesame@x", "http://me:sesame@x:80/a"}) {
        const auto parsed = parse_address(url);
        BOOST_TEST_REQUIRE(parsed.has_error());
        BOOST_TEST(parsed.error().message.find("sesame") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(only_this_machine_is_this_machine) {
    BOOST_TEST(parse_address("http://127.0.0.1:1")->is_this_machine());
    BOOST_TEST(parse_address("http://localhost")->is_this_machine());
    BOOST_TEST(parse_address("http://[::1]")->is_this_machine());
    BOOST_TEST(!parse_address("http://192.0.2.1")->is_this_machine());
    BOOST_TEST(!parse_address("http://localhost.example")->is_this_machine());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
