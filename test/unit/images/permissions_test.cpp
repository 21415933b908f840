// SPDX-License-Identifier: Apache-2.0
#include "images/permissions.hpp"

#include "boost_test.hpp"

using namespace gallery;
using namespace gallery::images;
using auth::authority;

namespace {

const tenant_id own{random_uuid()};

result<tenant_id> ask(authority role, std::string_view type, image_operation what) {
    auth::principal who;
    who.role = role;
    who.tenant = role == authority::sys_admin ? system_tenant : own;
    return permitted_tenant(who, type, what);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(permissions)

BOOST_AUTO_TEST_CASE(the_table_holds) {
    using enum image_operation;
    for (const auto what : {view, read, write}) {
        for (const auto* type : {"tenant", "system"})
            BOOST_TEST((ask(authority::sys_admin, type, what).value() == system_tenant));
        BOOST_TEST((ask(authority::tenant_admin, "tenant", what).value() == own));
    }
    BOOST_TEST((ask(authority::tenant_admin, "system", view).value() == system_tenant));
    BOOST_TEST((ask(authority::tenant_admin, "system", read).value() == system_tenant));
    BOOST_TEST((ask(authority::tenant_admin, "system", write).error().code == errc::permission_denied));
    BOOST_TEST((ask(authority::customer_user, "tenant", view).value() == own));
    BOOST_TEST((ask(authority::customer_user, "system", view).value() == system_tenant));
    for (const auto* type : {"tenant", "system"}) {
        for (const auto what : {read, write})
            BOOST_TEST((ask(authority::customer_user, type, what).error().code == errc::permission_denied));
    }
}

BOOST_AUTO_TEST_CASE(another_type_is_a_bad_parameter) {
    for (const auto* type : {"", "Tenant", "public", "../tenant"})
        BOOST_TEST(
            (ask(authority::sys_admin, type, image_operation::view).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()
