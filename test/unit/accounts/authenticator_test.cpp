// SPDX-License-Identifier: Apache-2.0
#include "accounts/authenticator.hpp"
#include "auth/thingsboard_token.hpp"
#include "boost_test.hpp"
#include "house.hpp"

#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using gallery::test::house;
using gallery::test::run;

using namespace gallery;
using namespace gallery::accounts;
using namespace gallery::auth;

/// A house whose signing key a ThingsBoard server has, too.
struct shared_house : house {
    shared_house() : house({}, {.foreign_users = true}, {.foreign_users = true}) {}
};

errc code_of(const result<principal_ptr>& out) {
    return out ? errc::internal : out.error().code;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(authentication)

BOOST_AUTO_TEST_CASE(tokens_and_keys_prove_their_user) {
    house h;
    const auto tenant = h.add_tenant();
    const auto customer = h.add_customer(tenant->id);
    const auto member = h.add_user("m@b.example", tenant->id, "secret1", customer->id);
    const auto pair = h.log_in("M@B.example");
    BOOST_REQUIRE(pair);
    const auto by_token = h.who(pair->token);
    BOOST_REQUIRE(by_token);
    BOOST_TEST(((*by_token)->user == member->id));
    BOOST_TEST(((*by_token)->tenant == tenant->id));
    BOOST_TEST(((*by_token)->customer == customer->id));
    BOOST_TEST(((*by_token)->role == authority::customer_user));
    BOOST_TEST((*by_token)->email == "m@b.example");
    BOOST_TEST(!(*by_token)->session.empty());
    BOOST_TEST((*by_token)->has_account);
    const auto [key, secret] = h.add_key(member);
    const auto by_key = h.who_has_key(secret);
    BOOST_REQUIRE(by_key);
    BOOST_TEST(((*by_key)->user == member->id));
    BOOST_TEST(((*by_key)->api_key == key->id));
    BOOST_TEST(secret.starts_with("tb_"));
    BOOST_TEST(secret.size() >= 46U);
}

BOOST_AUTO_TEST_CASE(a_repeated_token_is_answered_from_the_cache_with_the_same_principal) {
    house h;
    h.add_user("root@b.example", system_tenant);
    const auto pair = h.log_in("root@b.example").value();
    const auto first = h.who(pair.token).value();
    const auto second = h.who(pair.token).value();
    BOOST_TEST(first == second);
    BOOST_TEST(h.gate.counters().hits == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_no_credential_is_refused) {
    house h;
    h.add_user("root@b.example", system_tenant);
    const auto pair = h.log_in("root@b.example").value();
    for (const auto& header : std::vector<std::string>{
             "", "Bearer", "Bearer ", "ApiKey ", "ApiKey tb_", "ApiKey x", "Basic dXNlcjpwYXNz", pair.token,
             "Token " + pair.token, "Bearer" + pair.token, "ApiKey " + pair.token, "Bearer a.b.c"}) {
        BOOST_TEST((code_of(h.gate.authenticate(header, h.time())) == errc::unauthenticated), header);
    }
    BOOST_TEST(h.gate.authenticate("bearer " + pair.token, h.time()).has_value());
    BOOST_TEST(h.gate.authenticate("BEARER  " + pair.token, h.time()).has_value());
}

BOOST_AUTO_TEST_CASE(a_refresh_token_proves_nobody) {
    house h;
    h.add_user("root@b.example", system_tenant);
    const auto pair = h.log_in("root@b.example").value();
    BOOST_TEST((code_of(h.who(pair.refresh_token)) == errc::unauthenticated));
}

BOOST_AUTO_TEST_CASE(a_cached_token_still_expires) {
    house h;
    h.add_user("root@b.example", system_tenant);
    const auto pair = h.log_in("root@b.example").value();
    BOOST_TEST(h.who(pair.token).has_value());
    h.pass(std::chrono::seconds(9000));
    BOOST_TEST((code_of(h.who(pair.token)) == errc::token_expired));
}

BOOST_AUTO_TEST_CASE(what_takes_rights_away_counts_with_the_next_request_on_every_thread) {
    house h;
    const auto tenant = h.add_tenant();
    const auto customer = h.add_customer(tenant->id);
    const auto admin = h.add_user("a@b.example", tenant->id);
    const auto [key, secret] = h.add_key(admin);
    const auto pair = h.log_in("a@b.example").value();
    const auto header = "Bearer " + pair.token;

    // A second thread that has both in its own cache, and asks again whenever it is told to.
    std::mutex mutex;
    std::condition_variable turned;
    int turn = 0;
    bool token_good = true;
    bool key_good = true;
    authority role = authority::sys_admin;
    std::thread other([&, api_key = "ApiKey " + secret] {
        std::unique_lock lock(mutex);
        for (int i = 0; i < 4; ++i) {
            turned.wait(lock, [&] { return turn == 2 * i + 1; });
            const auto out = h.gate.authenticate(header, h.time());
            token_good = out.has_value();
            if (out) role = (*out)->role;
            key_good = h.gate.authenticate(api_key, h.time()).has_value();
            ++turn;
            turned.notify_all();
        }
    });
    const auto ask = [&] {
        std::unique_lock lock(mutex);
        ++turn;
        turned.notify_all();
        turned.wait(lock, [&] { return turn % 2 == 0; });
    };
    ask();
    BOOST_TEST((token_good && key_good && role == authority::tenant_admin));

    directory::edit<user> demote = [&](user& value) -> result<void> {
        value.role = authority::customer_user;
        value.customer = customer->id;
        return {};
    };
    BOOST_REQUIRE(run(h.accounts.change_user(admin->id, demote)));
    ask();
    BOOST_TEST((token_good && role == authority::customer_user));

    BOOST_REQUIRE(run(h.accounts.change_api_key(key->id, [](api_key& value) -> result<void> {
        value.enabled = false;
        return {};
    })));
    ask();
    BOOST_TEST((token_good && !key_good));

    BOOST_REQUIRE(run(h.logins.log_out(h.who(pair.token).value(), false)));
    ask();
    BOOST_TEST(!token_good);
    other.join();
}

BOOST_AUTO_TEST_CASE(disabled_and_deleted_users_are_refused_at_once_and_stay_out_when_enabled_again) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    const auto [key, secret] = h.add_key(admin);
    const auto pair = h.log_in("a@b.example").value();
    BOOST_TEST(h.who(pair.token).has_value());
    BOOST_TEST(h.who_has_key(secret).has_value());
    BOOST_REQUIRE(run(h.credentials.set_enabled(admin->id, false)));
    BOOST_TEST((code_of(h.who(pair.token)) == errc::unauthenticated));
    BOOST_TEST((code_of(h.who_has_key(secret)) == errc::unauthenticated));
    BOOST_REQUIRE(run(h.credentials.set_enabled(admin->id, true)));
    BOOST_TEST((code_of(h.who(pair.token)) == errc::token_expired));  // its sessions ended
    BOOST_TEST(h.who_has_key(secret).has_value());
    const auto fresh = h.log_in("a@b.example").value();
    BOOST_TEST(h.who(fresh.token).has_value());
    BOOST_REQUIRE(run(h.accounts.delete_user(admin->id)));
    BOOST_TEST((code_of(h.who(fresh.token)) == errc::unauthenticated));
    BOOST_TEST((code_of(h.who_has_key(secret)) == errc::unauthenticated));
}

BOOST_AUTO_TEST_CASE(keys_expire_and_are_revoked) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    const auto [key, secret] = h.add_key(admin, h.now + 1000);
    const auto [lasting, other_secret] = h.add_key(admin);
    BOOST_TEST(h.who_has_key(secret).has_value());
    h.pass(std::chrono::milliseconds(1000));
    BOOST_TEST((code_of(h.who_has_key(secret)) == errc::token_expired));
    BOOST_TEST(h.who_has_key(other_secret).has_value());
    BOOST_REQUIRE(run(h.accounts.delete_api_key(lasting->id)));
    BOOST_TEST((code_of(h.who_has_key(other_secret)) == errc::unauthenticated));
}

BOOST_AUTO_TEST_CASE(what_expires_later_than_the_clock_ends_is_cached_like_anything_else) {
    shared_house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    constexpr auto no_end = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t year_9999 = 253'402'300'799;
    std::vector<std::string> headers;
    for (const auto expires : {no_end, year_9999 * 1000})
        headers.push_back("ApiKey " + h.add_key(admin, expires).second);
    for (const auto expires : {no_end, year_9999}) {
        token_claims claims;
        claims.email = "x@y.example";
        claims.user.value = random_uuid();
        claims.issued_at = h.now / 1000;
        claims.expires_at = expires;
        claims.role = authority::tenant_admin;
        claims.tenant = tenant_id{random_uuid()};
        headers.push_back("Bearer " + h.codec.sign(claims));
    }
    for (const auto& header : headers) {
        const auto before = h.gate.counters().hits;
        BOOST_TEST(h.gate.authenticate(header, h.time()).has_value());
        BOOST_TEST(h.gate.authenticate(header, h.time()).has_value());
        BOOST_TEST(h.gate.counters().hits == before + 1);
    }
}

BOOST_AUTO_TEST_CASE(the_last_use_of_a_key_is_recorded_in_the_background_once_a_minute) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    const auto [key, secret] = h.add_key(admin);
    const auto recorded = [&, id = key->id] { return h.accounts.find_api_key(id)->last_used; };
    const auto writes = [&] { return run(h.store.last()).value(); };
    const auto before = writes();
    BOOST_TEST(h.who_has_key(secret).has_value());
    BOOST_TEST(recorded() == 0);
    BOOST_TEST(writes() == before);  // not by the request
    BOOST_REQUIRE(run(h.accounts.record_uses()));
    const auto first = h.now.load();
    BOOST_TEST(recorded() == first);
    h.pass(std::chrono::seconds(30));
    BOOST_TEST(h.who_has_key(secret).has_value());
    BOOST_REQUIRE(run(h.accounts.record_uses()));
    BOOST_TEST(recorded() == first);
    h.pass(std::chrono::seconds(31));
    BOOST_TEST(h.who_has_key(secret).has_value());
    BOOST_REQUIRE(run(h.accounts.record_uses()));
    BOOST_TEST(recorded() == h.now.load());
}

BOOST_AUTO_TEST_CASE(a_thingsboard_servers_token_of_an_unknown_user_reaches_its_claims_tenant) {
    shared_house h;
    const auto who = h.who(gallery::test::thingsboard_token);
    BOOST_REQUIRE(who);
    BOOST_TEST(!(*who)->has_account);
    BOOST_TEST(to_string((*who)->tenant) == "5e000000-1111-11ee-8a3c-0123456789ab");
    BOOST_TEST(((*who)->role == authority::tenant_admin));
}

BOOST_AUTO_TEST_CASE(for_a_known_user_the_account_counts_and_not_the_thingsboard_servers_token) {
    shared_house h;
    const auto tenant = h.add_tenant();
    const auto customer = h.add_customer(tenant->id);
    user known;
    known.id.value = *parse_uuid("5f7a1b60-1111-11ee-8a3c-0123456789ab");
    known.owner = tenant->id;
    known.customer = customer->id;
    known.role = authority::customer_user;
    known.email = "x@y.example";
    BOOST_TEST(h.who(gallery::test::thingsboard_token).has_value());  // cached by its claims
    BOOST_REQUIRE(run(h.accounts.create(known)));
    const auto who = h.who(gallery::test::thingsboard_token);
    BOOST_REQUIRE(who);
    BOOST_TEST(((*who)->tenant == tenant->id));
    BOOST_TEST(((*who)->role == authority::customer_user));
    BOOST_REQUIRE(run(h.credentials.set_enabled(known.id, false)));
    BOOST_TEST((code_of(h.who(gallery::test::thingsboard_token)) == errc::unauthenticated));
    BOOST_REQUIRE(run(h.accounts.delete_user(known.id)));
    BOOST_TEST((code_of(h.who(gallery::test::thingsboard_token)) == errc::unauthenticated));
}

BOOST_AUTO_TEST_CASE(a_tenant_that_was_deleted_here_does_not_come_back_with_a_thingsboard_servers_token) {
    shared_house h;
    tenant value;
    value.id.value = *parse_uuid("5e000000-1111-11ee-8a3c-0123456789ab");
    value.title = "T";
    BOOST_REQUIRE(run(h.accounts.create(value)));
    BOOST_TEST(h.who(gallery::test::thingsboard_token).has_value());
    tenant_images_eraser nothing = [](tenant_id) -> task<result<void>> { co_return result<void>(); };
    BOOST_REQUIRE(run(h.accounts.delete_tenant(value.id, nothing)));
    BOOST_TEST((code_of(h.who(gallery::test::thingsboard_token)) == errc::unauthenticated));
    BOOST_REQUIRE(run(h.accounts.load()));
    BOOST_TEST((code_of(h.who(gallery::test::thingsboard_token)) == errc::unauthenticated));
}

BOOST_AUTO_TEST_CASE(inconsistent_claims_of_unknown_users_are_refused) {
    shared_house h;
    const auto try_claims = [&](authority role, tenant_id tenant, std::optional<customer_id> customer,
                                bool enabled) {
        token_claims claims;
        claims.email = "x@y.example";
        claims.user.value = random_uuid();
        claims.issued_at = h.now / 1000;
        claims.expires_at = claims.issued_at + 100;
        claims.role = role;
        claims.tenant = tenant;
        claims.customer = customer;
        claims.enabled = enabled;
        return h.who(h.codec.sign(claims)).has_value();
    };
    const tenant_id some{random_uuid()};
    const customer_id of{random_uuid()};
    BOOST_TEST(try_claims(authority::tenant_admin, some, {}, true));
    BOOST_TEST(try_claims(authority::customer_user, some, of, true));
    BOOST_TEST(try_claims(authority::sys_admin, system_tenant, {}, true));
    BOOST_TEST(!try_claims(authority::tenant_admin, some, {}, false));
    BOOST_TEST(!try_claims(authority::tenant_admin, system_tenant, {}, true));
    BOOST_TEST(!try_claims(authority::tenant_admin, some, of, true));
    BOOST_TEST(!try_claims(authority::customer_user, some, {}, true));
    BOOST_TEST(!try_claims(authority::sys_admin, some, {}, true));
}

BOOST_AUTO_TEST_CASE(whom_another_store_knew_is_refused_where_nobody_else_has_the_signing_key) {
    house before;
    before.add_user("root@b.example", system_tenant);
    const auto tenant = before.add_tenant();
    before.add_user("a@b.example", tenant->id);
    const auto root = before.log_in("root@b.example").value();
    const auto admin = before.log_in("a@b.example").value();
    BOOST_TEST(before.who(root.token).has_value());
    // The same signing key, and a store that knows neither of them nor that they were deleted.
    house after;
    BOOST_TEST((code_of(after.who(root.token)) == errc::unauthenticated));
    BOOST_TEST((code_of(after.who(admin.token)) == errc::unauthenticated));
    BOOST_TEST((code_of(after.who(gallery::test::thingsboard_token)) == errc::unauthenticated));
    BOOST_TEST(!run(after.logins.refresh(root.refresh_token)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
