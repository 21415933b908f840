// SPDX-License-Identifier: Apache-2.0
#include "accounts/download_tickets.hpp"
#include "accounts/profile_data.hpp"
#include "auth/request_limit.hpp"
#include "boost_test.hpp"
#include "house.hpp"

#include <gallery/encode.hpp>

#include <string>
#include <string_view>

namespace {

using gallery::test::house;
using gallery::test::run;

using namespace gallery;
using namespace gallery::accounts;
using namespace std::chrono_literals;

sha256_digest digest_of(std::string_view text) {
    return sha256(text);
}

/// A customer's user who is logged in.
struct ticket_house : house {
    tenant_ptr tenant = add_tenant();
    customer_ptr customer = add_customer(tenant->id);
    user_ptr member = add_user("m@b.example", tenant->id, "secret1", customer->id);
    token_pair pair = log_in("m@b.example").value();
    auth::principal_ptr reader = who(pair.token).value();
    download_tickets tickets{accounts, codec, gate};

    std::string ticket(const auth::principal_ptr& of) { return tickets.issue(*of, digest_of("a"), time()); }
    result<download_tickets::holder> redeem(const std::string& ticket) {
        return tickets.redeem(ticket, time());
    }
    bool is_refused(const std::string& ticket) {
        const auto out = redeem(ticket);
        return !out && out.error().code == errc::unauthenticated;
    }
    void change(const directory::edit<user>& how) {
        BOOST_REQUIRE(run(accounts.change_user(member->id, how)));
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tickets_for_downloads)

BOOST_AUTO_TEST_CASE(a_ticket_says_who_has_it_and_for_what) {
    ticket_house h;
    const auto [key, secret] = h.add_key(h.member);
    for (const auto& who : {h.reader, h.who_has_key(secret).value()}) {
        const auto held = h.redeem(h.ticket(who));
        BOOST_REQUIRE(held);
        BOOST_TEST((held->what == digest_of("a")));
        BOOST_TEST((held->who->user == h.member->id));
        BOOST_TEST((held->who->tenant == h.tenant->id));
        BOOST_TEST((held->who->customer == h.customer->id));
        BOOST_TEST((held->who->role == auth::authority::customer_user));
        BOOST_TEST((held->who->api_key == who->api_key));
        BOOST_TEST(held->who->session == who->session);
        BOOST_TEST(held->who->email.empty());  // tickets are in logs of proxies
    }
}

BOOST_AUTO_TEST_CASE(a_ticket_lasts_a_minute) {
    ticket_house h;
    const auto ticket = h.ticket(h.reader);
    h.pass(60s);
    BOOST_TEST(h.redeem(ticket).has_value());
    h.pass(1s);
    BOOST_TEST(h.is_refused(ticket));
}

BOOST_AUTO_TEST_CASE(no_part_of_a_ticket_can_be_changed) {
    ticket_house h;
    const auto ticket = h.ticket(h.reader);
    for (std::size_t i = 0; i < ticket.size(); ++i) {
        auto other = ticket;
        other[i] = other[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(h.is_refused(other), "with another character " << i);
    }
    for (const std::string other : {"", ".", "x", "a.b", ".AAAA"})
        BOOST_TEST(h.is_refused(other));
    BOOST_TEST(h.is_refused(ticket.substr(0, ticket.find('.') + 1)));
    BOOST_TEST(h.is_refused(ticket + "AAAA"));
    BOOST_TEST(h.is_refused(std::string(10'000'000, 'a')));
}

BOOST_AUTO_TEST_CASE(a_ticket_is_no_token_and_a_token_is_no_ticket) {
    ticket_house h;
    BOOST_TEST(!h.who(h.ticket(h.reader)));
    BOOST_TEST(h.is_refused(h.pair.token));
    const auth::token_codec other(std::string(64, 'x'), "thingsboard.io");
    BOOST_TEST(
        h.is_refused(download_tickets(h.accounts, other, h.gate).issue(*h.reader, digest_of("a"), h.time())));
}

BOOST_AUTO_TEST_CASE(who_is_not_admitted_any_more_has_no_use_of_a_ticket) {
    const auto refused_after = [](const std::function<void(ticket_house&)>& what) {
        ticket_house h;
        const auto ticket = h.ticket(h.reader);
        BOOST_REQUIRE(h.redeem(ticket));
        const auto since = h.tickets.admission_of(*h.reader, h.time());
        h.pass(1s);
        what(h);
        return h.is_refused(ticket) && !h.tickets.check_still_admitted(*h.reader, since);
    };
    BOOST_TEST(!refused_after([](ticket_house&) {}));
    BOOST_TEST(refused_after([](ticket_house& h) {
        h.change([](user& u) {
            u.enabled = false;
            return result<void>();
        });
    }));
    BOOST_TEST(refused_after([](ticket_house& h) {
        BOOST_REQUIRE(run(h.credentials.set_password(h.member->id, "another-secret", {})));
    }));
    BOOST_TEST(refused_after([](ticket_house& h) {
        h.change([](user& u) {
            u.role = auth::authority::tenant_admin;
            u.customer.reset();
            return result<void>();
        });
    }));
    BOOST_TEST(refused_after([](ticket_house& h) {
        BOOST_REQUIRE(run(h.accounts.end_session(h.reader->session, h.tenant->id)));
    }));
    BOOST_TEST(
        refused_after([](ticket_house& h) { BOOST_REQUIRE(run(h.accounts.delete_user(h.member->id))); }));
    BOOST_TEST(refused_after(
        [](ticket_house& h) { BOOST_REQUIRE(run(h.accounts.delete_customer(h.customer->id))); }));
}

BOOST_AUTO_TEST_CASE(a_revoked_key_has_no_use_of_a_ticket) {
    ticket_house h;
    const auto [key, secret] = h.add_key(h.member, h.now + 30'000);
    const auto by_key = h.who_has_key(secret).value();
    const auto ticket = h.ticket(by_key);
    BOOST_TEST(h.redeem(ticket).has_value());
    h.pass(31s);
    BOOST_TEST(h.is_refused(ticket));
    const auto [lasting, other_secret] = h.add_key(h.member);
    const auto other = h.ticket(h.who_has_key(other_secret).value());
    BOOST_REQUIRE(run(h.accounts.delete_api_key(lasting->id)));
    BOOST_TEST(h.is_refused(other));
}

BOOST_AUTO_TEST_CASE(a_new_password_does_not_delay_downloads) {
    ticket_house h;
    BOOST_REQUIRE(run(h.credentials.set_password(h.member->id, "another-secret", {})));
    const auto again = h.log_in("m@b.example", "another-secret");
    BOOST_REQUIRE(again);
    const auto who = h.who(again->token);
    BOOST_REQUIRE(who);
    BOOST_TEST(h.redeem(h.ticket(*who)).has_value());
    BOOST_TEST(h.tickets.check_still_admitted(**who, h.tickets.admission_of(**who, h.time())).has_value());
}

BOOST_AUTO_TEST_CASE(who_has_a_ticket_shares_the_limits_with_who_has_a_token) {
    ticket_house h;
    tenant_profile limited;
    limited.name = "limited";
    BOOST_REQUIRE(set_data(limited,
                           R"({"configuration":{"tenantServerRestLimitsConfiguration":"100:1000000",)"
                           R"("customerServerRestLimitsConfiguration":"2:1000000"}})"));
    const auto profile = run(h.accounts.create(std::move(limited))).value();
    BOOST_REQUIRE(run(h.accounts.change_tenant(h.tenant->id, [&](tenant& value) -> result<void> {
        value.profile = profile->id;
        return {};
    })));
    const auto reader = h.who(h.pair.token).value();
    const auto ticket = h.ticket(reader);
    const auto is_taken = [&] { return auth::take_request(*h.redeem(ticket).value().who).has_value(); };
    BOOST_TEST(is_taken());
    BOOST_TEST(auth::take_request(*reader).has_value());
    BOOST_TEST(!is_taken());
    BOOST_TEST(h.gate.refused_requests().by_customer == 1U);
}

BOOST_AUTO_TEST_CASE(a_user_of_thingsboard_can_have_a_ticket) {
    house h;
    const download_tickets tickets(h.accounts, h.codec, h.gate);
    auth::principal who;
    who.user.value = parse_uuid("784f394c-42b6-435a-983c-b7beff2784f9").value();
    who.tenant.value = parse_uuid("784f394c-42b6-435a-983c-b7beff2784f8").value();
    who.role = auth::authority::tenant_admin;
    who.has_account = false;
    const auto held = tickets.redeem(tickets.issue(who, digest_of("a"), h.time()), h.time());
    BOOST_REQUIRE(held);
    BOOST_TEST(!held->who->has_account);
    // Who had an account once has lost it.
    who.has_account = true;
    BOOST_TEST(!tickets.redeem(tickets.issue(who, digest_of("a"), h.time()), h.time()));
}

BOOST_AUTO_TEST_SUITE_END()
