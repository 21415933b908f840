// SPDX-License-Identifier: Apache-2.0
#include "load/versions.hpp"

#include "boost_test.hpp"

#include <string>

namespace gallery::load {

namespace {

sha256_digest picture(int number) {
    return sha256(std::to_string(number));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(versions)

BOOST_AUTO_TEST_CASE(an_old_picture_is_stale_only_after_the_replacement_was_acknowledged) {
    image_versions of(picture(0));
    const auto before = of.acknowledged();
    of.begin(picture(1));
    // While the replacement is under way, either is right.
    BOOST_TEST((of.check(picture(0), before) == verdict::good));
    BOOST_TEST((of.check(picture(1), before) == verdict::good));
    of.confirm();
    // A read that was sent before the acknowledgement may still return the old one.
    BOOST_TEST((of.check(picture(0), before) == verdict::good));
    BOOST_TEST((of.check(picture(0), of.acknowledged()) == verdict::stale));
    BOOST_TEST((of.check(picture(1), of.acknowledged()) == verdict::good));
}

BOOST_AUTO_TEST_CASE(a_picture_that_nobody_uploaded_is_wrong) {
    image_versions of(picture(0));
    BOOST_TEST((of.check(picture(7), 0) == verdict::wrong));
    BOOST_TEST((of.check(std::nullopt, 0) == verdict::wrong));
}

BOOST_AUTO_TEST_CASE(an_answer_that_confirms_an_old_picture_is_stale) {
    image_versions of(picture(0));
    BOOST_TEST((of.check_unchanged(of.seen(), of.acknowledged()) == verdict::good));
    of.begin(picture(1));
    of.confirm();
    BOOST_TEST((of.check_unchanged(of.seen(), of.acknowledged()) == verdict::stale));
    BOOST_TEST((of.check(picture(1), of.acknowledged()) == verdict::good));
    BOOST_TEST(of.seen() == 1U);
    BOOST_TEST((of.check_unchanged(of.seen(), of.acknowledged()) == verdict::good));
}

BOOST_AUTO_TEST_CASE(a_refused_replacement_never_was) {
    image_versions of(picture(0));
    of.begin(picture(1));
    BOOST_TEST(!of.may_be_replaced());
    of.refuse();
    BOOST_TEST(of.may_be_replaced());
    BOOST_TEST(of.acknowledged() == 0U);
    BOOST_TEST((of.check(picture(1), 0) == verdict::wrong));
}

BOOST_AUTO_TEST_CASE(after_an_unknown_outcome_an_image_is_not_judged_any_more) {
    image_versions of(picture(0));
    of.begin(picture(1));
    of.confirm();
    of.begin(picture(2));
    of.lose();
    BOOST_TEST(!of.may_be_replaced());
    BOOST_TEST((of.check(picture(0), of.acknowledged()) == verdict::good));
    BOOST_TEST((of.check(picture(2), of.acknowledged()) == verdict::good));
    BOOST_TEST((of.check_unchanged(0, of.acknowledged()) == verdict::good));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
