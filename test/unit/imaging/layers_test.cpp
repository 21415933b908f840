// SPDX-License-Identifier: Apache-2.0
#include "imaging/protocol.hpp"
#include "imaging/worker_process.hpp"

#include "boost_test.hpp"

#include <cstdint>

namespace protocol = gallery::imaging::protocol;
using gallery::imaging::describe_layers;

BOOST_AUTO_TEST_SUITE(layers)

BOOST_AUTO_TEST_CASE(active_and_missing_layers_are_told_apart) {
    constexpr std::uint32_t all = 0xff;
    BOOST_TEST(
        describe_layers(all & ~protocol::namespaces) ==
        "seccomp, Landlock (files), Landlock (network), Landlock (signals), user nobody, no new privileges, "
        "resource limits; not available: network namespace");
    BOOST_TEST(describe_layers(all).find("not available") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_root_lacks_nothing_without_the_user_nobody) {
    constexpr std::uint32_t all = 0xff;
    BOOST_TEST(describe_layers(all & ~protocol::other_user) ==
               "seccomp, Landlock (files), Landlock (network), Landlock (signals), network namespace, no new "
               "privileges, "
               "resource limits");
}

BOOST_AUTO_TEST_CASE(no_layer_at_all_is_said) {
    BOOST_TEST(describe_layers(0).starts_with("none; not available: seccomp, Landlock (files), "));
}

BOOST_AUTO_TEST_SUITE_END()
