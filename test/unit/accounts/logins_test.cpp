// SPDX-License-Identifier: Apache-2.0
#include "accounts/logins.hpp"
#include "boost_test.hpp"
#include "house.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <set>
#include <string>
#include <vector>

namespace {

using namespace gallery;
using namespace gallery::accounts;
using namespace gallery::auth;
using gallery::test::house;
using gallery::test::quick;
using gallery::test::run;

user_ptr invite(house& h, const tenant_ptr& tenant) {
    user value;
    value.email = "new@b.example";
    value.owner = tenant->id;
    value.role = authority::tenant_admin;
    value.enabled = false;
    value.pending = h.credentials.begin_activation();
    return run(h.accounts.create(std::move(value))).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(logging_in)

BOOST_AUTO_TEST_CASE(a_wrong_name_and_a_wrong_password_are_answered_alike) {
    house h;
    const auto tenant = h.add_tenant();
    h.add_user("a@b.example", tenant->id);
    h.add_user("invited@b.example", tenant->id, "");
    const auto wrong = h.log_in("a@b.example", "secret2");
    BOOST_REQUIRE(!wrong);
    BOOST_TEST((wrong.error().code == errc::unauthenticated));
    BOOST_TEST(wrong.error().message == "Invalid username or password");
    for (const auto* name : {"nobody@b.example", "", "invited@b.example", "\xff", "a@b.example\n"}) {
        const auto unknown = h.log_in(name, "secret1");
        BOOST_REQUIRE(!unknown);
        BOOST_TEST((unknown.error() == wrong.error()));
    }
    BOOST_TEST((h.log_in("a@b.example", "").error() == wrong.error()));
    BOOST_TEST((h.log_in("a@b.example", std::string(100'000, 'x')).error() == wrong.error()));
}

BOOST_AUTO_TEST_CASE(a_disabled_account_is_named_to_who_knows_the_password_only) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    BOOST_REQUIRE(run(h.credentials.set_enabled(admin->id, false)));
    BOOST_TEST(h.log_in("a@b.example", "wrong1").error().message == "Invalid username or password");
    BOOST_TEST(h.log_in("a@b.example").error().message == "User account is not active");
}

BOOST_AUTO_TEST_CASE(repeated_failures_are_held_off_and_say_for_how_long) {
    house h;
    h.add_user("root@b.example", system_tenant);
    for (int i = 0; i < login_limiter::free_failures; ++i)
        BOOST_TEST(!h.log_in("Root@b.example", "wrong1").has_value());
    const auto held = run(h.logins.log_in("root@b.example", "secret1", "192.0.2.1"));
    BOOST_REQUIRE(held.has_error());
    BOOST_TEST((held.error().code == errc::too_many_requests));
    BOOST_TEST(held.error().retry_after >= 1U);
    BOOST_TEST(h.log_in("root@b.example", "secret1", "192.0.2.2").has_value());
}

/// Waits for a turn to check a password and keeps it.
task<bool> keep_turn(password_service& passwords, std::string who,
                     std::vector<password_service::turns::turn>& kept) {
    auto turn = co_await passwords.begin(std::move(who));
    if (turn) kept.push_back(std::move(*turn));
    co_return turn.has_value();
}

/// Waits for a turn and gives it up at once.
task<void> wait_for_turn(password_service& passwords, std::string who, std::size_t& waited) {
    const auto turn = co_await passwords.begin(std::move(who));
    waited += turn ? 1 : 0;
}

BOOST_AUTO_TEST_CASE(a_flood_of_logins_from_one_network_neither_asks_the_store_nor_refuses_others) {
    asio::io_context context(1);
    house h;
    h.add_user("root@b.example", system_tenant);
    int asked = 0;
    h.accounts.follow_with([&]() -> task<result<void>> {
        ++asked;
        co_return result<void>();
    });
    std::vector<password_service::turns::turn> checking;
    for (std::size_t i = 0; i < password_service::threads; ++i)
        BOOST_REQUIRE(run(keep_turn(h.passwords, "192.0.2.1", checking)));
    std::size_t waited = 0;
    for (std::size_t i = 0; i < password_service::queue_limit_each; ++i)
        asio::co_spawn(context, wait_for_turn(h.passwords, "192.0.2.1", waited), asio::detached);
    context.poll();
    const auto refused = h.log_in("root@b.example", "secret1", "192.0.2.1");
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == errc::too_many_requests));
    BOOST_TEST(asked == 0);
    checking.clear();
    context.restart();
    context.run();
    BOOST_TEST(waited == password_service::queue_limit_each);
    BOOST_TEST(h.log_in("root@b.example", "secret1", "192.0.2.1").has_value());
    BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(an_imported_bcrypt_password_is_hashed_anew_at_the_first_login) {
    house h;
    user imported;
    imported.email = "tb@b.example";
    imported.owner = system_tenant;
    imported.role = authority::sys_admin;
    imported.password_hash = "$2a$04$abcdefghijklmnopqrstuuUiyF1cU73/ubLCs8GfUBCukpLol0IVK";
    const auto id = run(h.accounts.create(imported)).value()->id;
    BOOST_TEST(!h.log_in("tb@b.example", "Tenant").has_value());
    BOOST_TEST(h.log_in("tb@b.example", "tenant").has_value());
    BOOST_TEST(!is_outdated_hash(h.accounts.find_user(id)->password_hash, quick));
    BOOST_TEST(h.log_in("tb@b.example", "tenant").has_value());
}

BOOST_AUTO_TEST_CASE(a_refresh_token_buys_one_pair_of_the_same_session) {
    house h;
    h.add_user("root@b.example", system_tenant);
    const auto first = h.log_in("root@b.example").value();
    const auto second = run(h.logins.refresh(first.refresh_token));
    BOOST_REQUIRE(second);
    BOOST_TEST(second->refresh_token != first.refresh_token);
    BOOST_TEST(h.who(second->token).value()->session == h.who(first.token).value()->session);
    // At once, again: another tab of the same browser.
    BOOST_TEST(run(h.logins.refresh(first.refresh_token)).has_value());
    // Later: somebody has copied it. The whole session ends.
    h.pass(std::chrono::seconds(31));
    BOOST_TEST(!run(h.logins.refresh(first.refresh_token)).has_value());
    BOOST_TEST(!h.who(second->token).has_value());
    BOOST_TEST(!run(h.logins.refresh(second->refresh_token)).has_value());
    BOOST_TEST(h.log_in("root@b.example").has_value());
}

BOOST_AUTO_TEST_CASE(a_session_that_refreshes_without_end_is_held_off_and_no_other) {
    house h;
    h.add_user("root@b.example", system_tenant);
    auto pair = h.log_in("root@b.example").value();
    for (int i = 0; i < logins::refreshes_at_once; ++i) {
        auto next = run(h.logins.refresh(pair.refresh_token));
        BOOST_REQUIRE(next);
        pair = *next;
    }
    for (int i = 0; i < 3; ++i) {
        const auto refused = run(h.logins.refresh(pair.refresh_token));
        BOOST_REQUIRE(!refused);
        BOOST_TEST((refused.error().code == errc::too_many_requests));
        BOOST_TEST(refused.error().retry_after > 0U);
    }
    BOOST_TEST(h.store.count("spent_token") == static_cast<std::size_t>(logins::refreshes_at_once));
    // The session goes on, and so do others of the user.
    BOOST_TEST(h.who(pair.token).has_value());
    BOOST_TEST(run(h.logins.refresh(h.log_in("root@b.example").value().refresh_token)).has_value());
}

BOOST_AUTO_TEST_CASE(a_spent_refresh_token_stays_spent_after_a_restart) {
    house h({.refresh_grace = std::chrono::seconds(-1)});
    h.add_user("root@b.example", system_tenant);
    const auto first = h.log_in("root@b.example").value();
    BOOST_TEST(run(h.logins.refresh(first.refresh_token)).has_value());
    directory after(h.store);
    after.set_clock([&] { return h.now.load(); });
    BOOST_REQUIRE(run(after.load()));
    logins again(after, h.codec, h.passwords, h.limiter, h.logins.options());
    BOOST_TEST(!run(again.refresh(first.refresh_token)).has_value());
}

BOOST_AUTO_TEST_CASE(refreshing_takes_refresh_tokens_only) {
    house h;
    const auto root = h.add_user("root@b.example", system_tenant);
    const auto pair = h.log_in("root@b.example").value();
    const auto wrong = run(h.logins.refresh(pair.token));
    BOOST_REQUIRE(!wrong);
    BOOST_TEST((wrong.error().code == errc::unauthenticated));
    BOOST_TEST(!run(h.logins.refresh("")).has_value());
    h.pass(std::chrono::seconds(604'800));
    BOOST_TEST((run(h.logins.refresh(pair.refresh_token)).error().code == errc::token_expired));
    const auto later = h.log_in("root@b.example").value();
    BOOST_REQUIRE(run(h.accounts.delete_user(root->id)));
    BOOST_TEST(!run(h.logins.refresh(later.refresh_token)).has_value());
}

BOOST_AUTO_TEST_CASE(logging_out_ends_this_session_or_all) {
    house h;
    h.add_user("root@b.example", system_tenant);
    const auto one = h.log_in("root@b.example").value();
    const auto two = h.log_in("root@b.example").value();
    const auto three = h.log_in("root@b.example").value();
    BOOST_REQUIRE(run(h.logins.log_out(h.who(one.token).value(), false)));
    BOOST_TEST(!h.who(one.token).has_value());
    BOOST_TEST(!run(h.logins.refresh(one.refresh_token)).has_value());
    BOOST_TEST(h.who(two.token).has_value());
    BOOST_REQUIRE(run(h.logins.log_out(h.who(two.token).value(), true)));
    BOOST_TEST(!h.who(three.token).has_value());
    BOOST_TEST(!run(h.logins.refresh(three.refresh_token)).has_value());
    // In the very same second one can log in again, and end all again.
    const auto four = h.log_in("root@b.example").value();
    BOOST_TEST(h.who(four.token).has_value());
    BOOST_REQUIRE(run(h.logins.log_out(h.who(four.token).value(), true)));
    BOOST_TEST(!h.who(four.token).has_value());
    BOOST_TEST(h.who(h.log_in("root@b.example").value().token).has_value());
}

BOOST_AUTO_TEST_CASE(a_changed_password_ends_the_other_sessions_and_begins_a_new_one) {
    house h;
    h.add_user("root@b.example", system_tenant);
    const auto here = h.log_in("root@b.example").value();
    const auto elsewhere = h.log_in("root@b.example").value();
    const auto who = h.who(here.token).value();
    const auto change = [&](std::string current, std::string chosen) {
        return run(h.logins.change_password(who, std::move(current), std::move(chosen), "192.0.2.1"));
    };
    BOOST_TEST(change("wrong1", "secret2").error().message == "Current password doesn't match!");
    BOOST_TEST((change("secret1", "short").error().code == errc::invalid_argument));
    BOOST_TEST((change("secret1", "secret1").error().code == errc::invalid_argument));
    BOOST_TEST(h.who(elsewhere.token).has_value());
    const auto changed = change("secret1", "secret2");
    BOOST_REQUIRE(changed);
    BOOST_TEST(h.who(changed->token).has_value());
    BOOST_TEST(!h.who(here.token).has_value());
    BOOST_TEST(!h.who(elsewhere.token).has_value());
    BOOST_TEST(!run(h.logins.refresh(elsewhere.refresh_token)).has_value());
    BOOST_TEST(run(h.logins.refresh(changed->refresh_token)).has_value());
    BOOST_TEST(!h.log_in("root@b.example", "secret1").has_value());
    BOOST_TEST(h.log_in("root@b.example", "secret2").has_value());
}

BOOST_AUTO_TEST_CASE(guessing_the_current_password_is_held_off_too) {
    house h;
    h.add_user("root@b.example", system_tenant);
    const auto who = h.who(h.log_in("root@b.example").value().token).value();
    for (int i = 0; i < login_limiter::free_failures; ++i) {
        BOOST_TEST(!run(h.logins.change_password(who, "wrong1", "secret2", "192.0.2.1")).has_value());
    }
    const auto held = run(h.logins.change_password(who, "secret1", "secret2", "192.0.2.1"));
    BOOST_TEST((held.error().code == errc::too_many_requests));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(activation_links)

BOOST_AUTO_TEST_CASE(a_link_activates_once) {
    house h;
    const auto invited = invite(h, h.add_tenant());
    const auto token = run(h.credentials.activation_token(invited->id)).value();
    BOOST_TEST(run(h.credentials.activation_token(invited->id)).value() ==
               token);  // asking does not change it
    BOOST_TEST((h.logins.check_activation(token).value()->id == invited->id));
    BOOST_TEST(!run(h.logins.activate(token, "short")).has_value());
    const auto pair = run(h.logins.activate(token, "secret1"));
    BOOST_REQUIRE(pair);
    BOOST_TEST(h.who(pair->token).has_value());
    BOOST_TEST(h.log_in("new@b.example").has_value());
    BOOST_TEST(!run(h.logins.activate(token, "secret2")).has_value());
    BOOST_TEST(run(h.credentials.activation_token(invited->id)).error().message ==
               "User is already activated!");
}

BOOST_AUTO_TEST_CASE(a_link_expires_and_the_next_is_another) {
    house h;
    const auto invited = invite(h, h.add_tenant());
    const auto token = run(h.credentials.activation_token(invited->id)).value();
    h.pass(std::chrono::hours(24));
    BOOST_TEST(!h.logins.check_activation(token).has_value());
    const auto next = run(h.credentials.activation_token(invited->id)).value();
    BOOST_TEST(next != token);
    BOOST_TEST(!run(h.logins.activate(token, "secret1")).has_value());
    BOOST_TEST(run(h.logins.activate(next, "secret1")).has_value());
}

BOOST_AUTO_TEST_CASE(a_made_up_link_activates_nobody) {
    house h;
    const auto invited = invite(h, h.add_tenant());
    const auto token = run(h.credentials.activation_token(invited->id)).value();
    for (const auto& made_up :
         std::vector<std::string>{"", "x", token.substr(0, 32), token + "x", std::string(75, '0'),
                                  token.substr(0, token.size() - 1) + "!", std::string(100'000, 'a')}) {
        const auto out = h.logins.check_activation(made_up);
        BOOST_REQUIRE(!out);
        BOOST_TEST((out.error().code == errc::invalid_argument));
        BOOST_TEST(out.error().message.size() < 200U);
    }
}

BOOST_AUTO_TEST_CASE(a_disabled_user_who_was_invited_gets_in_by_no_link_that_was_handed_out_before) {
    house h;
    const auto invited = invite(h, h.add_tenant());
    const auto token = run(h.credentials.activation_token(invited->id)).value();
    BOOST_REQUIRE(run(h.credentials.set_enabled(invited->id, false)));
    BOOST_TEST(!h.logins.check_activation(token).has_value());
    const auto refused = run(h.logins.activate(token, "secret1"));
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == errc::invalid_argument));
    BOOST_TEST(!h.accounts.find_user(invited->id)->enabled);
    const auto next = run(h.credentials.activation_token(invited->id)).value();
    BOOST_TEST(next != token);
    BOOST_TEST(run(h.logins.activate(next, "secret1")).has_value());
    // Of who has been activated there is no link to change.
    BOOST_REQUIRE(run(h.credentials.set_enabled(invited->id, false)));
    BOOST_TEST(!h.accounts.find_user(invited->id)->pending.has_value());
    BOOST_TEST(run(h.credentials.set_enabled(invited->id, true)).has_value());
}

BOOST_AUTO_TEST_CASE(a_condition_is_asked_at_the_moment_of_the_change) {
    house h;
    const auto invited = invite(h, h.add_tenant());
    const user_credentials::condition still_invited = [](const user& account) -> result<void> {
        if (account.pending) return {};
        return error{errc::permission_denied, "not any more"};
    };
    BOOST_TEST(run(h.credentials.activation_token(invited->id, still_invited)).has_value());
    BOOST_REQUIRE(run(h.credentials.set_password(invited->id, "secret1", still_invited)));
    BOOST_TEST((run(h.credentials.set_password(invited->id, "secret2", still_invited)).error().code ==
                errc::permission_denied));
    BOOST_TEST((run(h.credentials.activation_token(invited->id, still_invited)).error().code ==
                errc::permission_denied));
    BOOST_TEST(h.log_in("new@b.example", "secret1").has_value());
}

BOOST_AUTO_TEST_CASE(which_key_made_a_user_is_kept_with_a_renewed_link_and_over_a_restart) {
    house h;
    const auto tenant = h.add_tenant();
    const api_key_id key{random_uuid()};
    user value;
    value.email = "made@b.example";
    value.owner = tenant->id;
    value.role = authority::tenant_admin;
    value.enabled = false;
    value.pending = h.credentials.begin_activation();
    value.pending->made_with = key;
    const auto made = run(h.accounts.create(std::move(value))).value();
    h.pass(std::chrono::hours(24));
    BOOST_REQUIRE(run(h.credentials.activation_token(made->id)));
    BOOST_REQUIRE(run(h.accounts.load()));
    BOOST_TEST((h.accounts.find_user(made->id)->pending->made_with == key));
    // Who disables the user decides anew who lets the user in.
    BOOST_REQUIRE(run(h.credentials.set_enabled(made->id, false)));
    BOOST_TEST(!h.accounts.find_user(made->id)->pending->made_with.has_value());
}

BOOST_AUTO_TEST_CASE(who_was_not_activated_cannot_be_enabled_but_can_be_given_a_password) {
    house h;
    const auto invited = invite(h, h.add_tenant());
    BOOST_TEST(!run(h.credentials.set_enabled(invited->id, true)).has_value());
    BOOST_REQUIRE(run(h.credentials.set_password(invited->id, "secret1")));
    BOOST_TEST(h.log_in("new@b.example").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(a_new_server)

BOOST_AUTO_TEST_CASE(has_one_system_administrator_whose_generated_password_is_told_once) {
    house h;
    const auto made = run(ensure_sysadmin(h.accounts, h.passwords, "sysadmin@gallery.local", ""));
    BOOST_REQUIRE(made);
    BOOST_REQUIRE(made->has_value());
    BOOST_TEST((*made)->generated);
    BOOST_TEST(h.log_in("sysadmin@gallery.local", (*made)->password).has_value());
    const auto again = run(ensure_sysadmin(h.accounts, h.passwords, "other@gallery.local", "secret1"));
    BOOST_REQUIRE(again);
    BOOST_TEST(!again->has_value());
    BOOST_TEST(h.accounts.users_with(authority::sys_admin).size() == 1U);
}

BOOST_AUTO_TEST_CASE(takes_the_operators_password_or_says_why_not) {
    house h;
    const auto weak = run(ensure_sysadmin(h.accounts, h.passwords, "sysadmin@gallery.local", "123"));
    BOOST_REQUIRE(!weak);
    BOOST_TEST(weak.error().message.find("6 or more") != std::string::npos);
    const auto made = run(ensure_sysadmin(h.accounts, h.passwords, "sysadmin@gallery.local", "secret1"));
    BOOST_TEST(!made->value().generated);
    BOOST_TEST(h.log_in("sysadmin@gallery.local").has_value());
}

BOOST_AUTO_TEST_CASE(gets_its_demo_accounts_once) {
    house h;
    const auto made = run(ensure_demo(h.accounts, h.passwords, ""));
    BOOST_REQUIRE(made);
    BOOST_REQUIRE(made->made.size() == 2U);
    for (const auto& account : made->made)
        BOOST_TEST(h.log_in(account.email, account.password).has_value());
    const auto member = h.accounts.find_user_by_email(demo_customer_email);
    BOOST_TEST((member->role == authority::customer_user && member->owner == made->tenant));
    const auto again = run(ensure_demo(h.accounts, h.passwords, ""));
    BOOST_TEST(again->made.empty());
    BOOST_TEST((again->tenant == made->tenant));
    BOOST_REQUIRE(run(h.accounts.delete_user(member->id)));
    const auto mended = run(ensure_demo(h.accounts, h.passwords, "secret1"));
    BOOST_REQUIRE(mended->made.size() == 1U);
    BOOST_TEST(mended->made[0].email == demo_customer_email);
}

BOOST_AUTO_TEST_SUITE_END()
