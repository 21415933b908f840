// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"

#include <gallery/email.hpp>

#include <string>

using gallery::is_email_address;

BOOST_AUTO_TEST_SUITE(email)

BOOST_AUTO_TEST_CASE(addresses_are_told_from_other_texts) {
    for (const auto* text :
         {"a@b", "admin@localhost", "first.last+tag@example.org", "j\xc3\xb6rg@example.org"})
        BOOST_TEST(is_email_address(text), text);
    for (const auto* text :
         {"", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a@b,c@d", "<a@b>", "\"a\"@b", "a;b@c"})
        BOOST_TEST(!is_email_address(text), text);
    BOOST_TEST(is_email_address(std::string(253, 'x') + "@b"));
    BOOST_TEST(!is_email_address(std::string(254, 'x') + "@b"));
}

BOOST_AUTO_TEST_SUITE_END()
