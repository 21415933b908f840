// SPDX-License-Identifier: Apache-2.0
#include "api/archive_places.hpp"

#include "boost_test.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace gallery::api {

BOOST_AUTO_TEST_SUITE(archive_places_of_users)

namespace {

tenant_id tenant(std::uint8_t number) {
    tenant_id out;
    out.value.data[15] = number;
    return out;
}
user_id user(std::uint8_t number) {
    user_id out;
    out.value.data[15] = number;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_user_a_tenant_and_all_have_their_bounds) {
    archive_places places({.each_user = 2, .each_tenant = 3, .all = 4});
    std::vector<archive_places::place> taken;
    const auto refused = [&](std::uint8_t of, std::uint8_t who) {
        auto place = places.take(tenant(of), user(who));
        if (!place) return std::optional(place.error().code);
        taken.push_back(std::move(*place));
        return std::optional<errc>();
    };
    BOOST_CHECK(refused(1, 1) == std::nullopt);
    BOOST_CHECK(refused(1, 1) == std::nullopt);
    BOOST_CHECK(refused(1, 1) == errc::too_many_requests);
    BOOST_CHECK(refused(1, 2) == std::nullopt);
    BOOST_CHECK(refused(1, 3) == errc::too_many_requests);
    BOOST_CHECK(refused(2, 4) == std::nullopt);
    BOOST_CHECK(refused(3, 5) == errc::busy);
    taken.pop_back();
    BOOST_CHECK(refused(3, 5) == std::nullopt);
    BOOST_CHECK(refused(4, 6) == errc::busy);
    taken.clear();
    BOOST_CHECK(refused(1, 1) == std::nullopt);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::api
