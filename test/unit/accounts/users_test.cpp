// SPDX-License-Identifier: Apache-2.0
#include "accounts/users.hpp"
#include "boost_test.hpp"
#include "house.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace {

using namespace gallery;
using namespace gallery::accounts;
using gallery::test::house;
using gallery::test::run;

/// A tenant with an administrator, who has an API key and uses it in scripts.
struct tenant_with_script {
    house h;
    users all{h.accounts, h.credentials};
    tenant_ptr tenant = h.add_tenant();
    customer_ptr customer = h.add_customer(tenant->id, "C");
    customer_ptr other_customer = h.add_customer(tenant->id, "D");
    user_ptr admin = h.add_user("a@b.example", tenant->id);
    api_key_id key = h.add_key(admin, h.now + 60'000).first->id;

    [[nodiscard]] anybody as_admin() const { return prove_admin({}); }
    [[nodiscard]] anybody as_script() const { return prove_admin(key); }

    [[nodiscard]] anybody prove_admin(std::optional<api_key_id> with) const {
        auto who = std::make_shared<auth::principal>();
        who->user = admin->id;
        who->tenant = tenant->id;
        who->role = auth::authority::tenant_admin;
        who->api_key = with;
        return prove<anybody>(std::move(who)).value();
    }

    [[nodiscard]] submitted_user form(const std::string& email = "new@b.example") const {
        submitted_user out;
        out.customer = customer->id.value;
        out.value.email = email;
        out.value.role = auth::authority::customer_user;
        return out;
    }
    /// What a client sends back to change the user.
    [[nodiscard]] submitted_user form_of(const user_ptr& of) const {
        auto out = form(of->email);
        out.id = of->id.value;
        return out;
    }
    result<std::string> link(anybody who, user_id of) {
        auto decided = all.administer(std::move(who), of);
        if (!decided) return decided.error();
        auto may = users::admit(std::move(*decided));
        if (!may) return may.error();
        return run(all.activation_token(std::move(*may)));
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(invited_users)

BOOST_AUTO_TEST_CASE(who_becomes_somebody_else_is_let_in_by_nothing_that_was_handed_out_before) {
    const auto promoted = [](submitted_user& sent, const tenant_with_script&) {
        sent.value.role = auth::authority::tenant_admin;
        sent.customer.reset();
    };
    const auto moved = [](submitted_user& sent, const tenant_with_script& t) {
        sent.customer = t.other_customer->id.value;
    };
    const auto renamed = [](submitted_user& sent, const tenant_with_script&) {
        sent.value.email = "other@b.example";
    };
    const auto check = [](const std::string& what, auto change) {
        BOOST_TEST_CONTEXT(what) {
            tenant_with_script t;
            const auto made = run(t.all.save(t.as_script(), t.form())).value();
            const auto old_link = t.link(t.as_script(), made->id).value();
            BOOST_TEST(t.h.logins.check_activation(old_link).has_value());
            auto sent = t.form_of(made);
            change(sent, t);
            BOOST_REQUIRE(run(t.all.save(t.as_admin(), std::move(sent))));

            const auto refused = t.link(t.as_script(), made->id);
            BOOST_REQUIRE(!refused);
            BOOST_TEST((refused.error().code == errc::permission_denied));
            BOOST_TEST(!t.h.logins.check_activation(old_link).has_value());
            BOOST_TEST(!run(t.h.logins.activate(old_link, "secret1")).has_value());
            const auto next = t.link(t.as_admin(), made->id).value();
            BOOST_TEST(run(t.h.logins.activate(next, "secret1")).has_value());
        }
    };
    check("another role", promoted);
    check("another customer", moved);
    check("another e-mail address", renamed);
}

BOOST_AUTO_TEST_CASE(who_is_only_called_otherwise_keeps_the_link) {
    tenant_with_script t;
    const auto made = run(t.all.save(t.as_script(), t.form())).value();
    const auto link = t.link(t.as_script(), made->id).value();
    auto sent = t.form_of(made);
    sent.value.first_name = "N";
    BOOST_REQUIRE(run(t.all.save(t.as_admin(), std::move(sent))));
    BOOST_TEST(t.link(t.as_script(), made->id).value() == link);
    BOOST_TEST(t.h.logins.check_activation(link).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
