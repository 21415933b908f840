// SPDX-License-Identifier: Apache-2.0
// Accounts that several servers write at the same moment.
#include "accounts/account_documents.hpp"
#include "accounts/first_accounts.hpp"
#include "auth/signing_key.hpp"
#include "boost_test.hpp"
#include "cache/freshness.hpp"
#include "node.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace gallery;
using namespace gallery::accounts;
using gallery::test::documents_in_memory;
using gallery::test::node;
using gallery::test::run;

/// In a thread of its own: that of the test is inside a coroutine.
template <class Function>
void elsewhere(Function what) {
    std::thread(std::move(what)).join();
}

/// Lets @p meanwhile happen once, just before the store is asked to write a document of this kind.
template <class Function>
void once_before_writing(documents_in_memory& store, std::string kind, Function meanwhile) {
    store.before_write = [kind = std::move(kind), meanwhile,
                          done = false](const std::string& written) mutable -> std::optional<error> {
        if (done || written != kind) return {};
        done = true;
        elsewhere(meanwhile);
        return {};
    };
}

/// Users in the store that are not tombstones.
std::vector<user> stored_users(documents_in_memory& store) {
    std::vector<user> all;
    for (const auto& doc : run(store.scan("user", "", 10'000)).value().items) {
        auto value = from_document<user>(doc).value();
        if (!value.deleted) all.push_back(std::move(value));
    }
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(several_servers)

BOOST_AUTO_TEST_CASE(what_one_server_wrote_can_be_referred_to_on_another_at_once) {
    documents_in_memory store;
    node one(store);
    node other(store);
    const auto tenant = one.add_tenant().value();
    const auto customer = other.add_customer(tenant->id).value();
    BOOST_TEST(one.add_user("m@acme.example", tenant->id, customer->id).has_value());
}

BOOST_AUTO_TEST_CASE(a_name_that_another_server_has_freed_can_be_taken_at_once) {
    documents_in_memory store;
    node one(store);
    node other(store);
    const auto tenant = one.add_tenant().value();
    const auto first = one.add_user("a@acme.example", tenant->id).value();
    BOOST_REQUIRE(run(other.follow()));
    BOOST_REQUIRE(run(one.accounts.delete_user(first->id)));
    BOOST_TEST(other.add_user("a@acme.example", tenant->id).has_value());
}

BOOST_AUTO_TEST_CASE(a_user_created_while_the_customer_is_deleted_goes_with_it) {
    documents_in_memory store;
    node one(store);
    node other(store);
    const auto tenant = one.add_tenant().value();
    const auto customer = one.add_customer(tenant->id).value();
    BOOST_REQUIRE(run(other.follow()));
    bool created = false;
    once_before_writing(store, "customer", [&] {
        created = other.add_user("m@acme.example", tenant->id, customer->id).has_value();
    });
    BOOST_REQUIRE(run(one.accounts.delete_customer(customer->id)));
    BOOST_TEST(created);
    BOOST_TEST(stored_users(store).empty());
    BOOST_TEST(store.count("customer") == 0U);
    BOOST_TEST(store.count("email") == 0U);
    BOOST_TEST(store.count("customer_title") == 0U);
}

BOOST_AUTO_TEST_CASE(nobody_enters_a_customer_that_is_deleted_meanwhile) {
    documents_in_memory store;
    node one(store);
    node other(store);
    const auto tenant = one.add_tenant().value();
    const auto customer = one.add_customer(tenant->id).value();
    once_before_writing(store, "user",
                        [&] { BOOST_REQUIRE(run(other.accounts.delete_customer(customer->id))); });
    const auto late = one.add_user("m@acme.example", tenant->id, customer->id);
    BOOST_REQUIRE(!late);
    BOOST_TEST((late.error().code == errc::invalid_argument));
    BOOST_TEST(stored_users(store).empty());
    BOOST_TEST(store.count("email") == 0U);
}

BOOST_AUTO_TEST_CASE(users_and_customers_that_came_before_a_tenant_was_shut_are_deleted_with_it) {
    documents_in_memory store;
    node one(store);
    node other(store);
    const auto tenant = one.add_tenant().value();
    // Before the write that shuts the tenant, after this server has followed the feed.
    once_before_writing(store, "tenant", [&] {
        const auto customer = other.add_customer(tenant->id).value();
        BOOST_REQUIRE(other.add_user("m@acme.example", tenant->id, customer->id));
    });
    tenant_images_eraser nothing = [](tenant_id) -> task<result<void>> { co_return result<void>(); };
    BOOST_REQUIRE(run(one.accounts.delete_tenant(tenant->id, nothing)));
    BOOST_TEST(stored_users(store).empty());
    BOOST_TEST(store.count("customer") == 0U);
}

BOOST_AUTO_TEST_CASE(two_servers_that_delete_one_customer_both_succeed) {
    documents_in_memory store;
    node one(store);
    node other(store);
    const auto tenant = one.add_tenant().value();
    const auto customer = one.add_customer(tenant->id).value();
    once_before_writing(store, "customer",
                        [&] { BOOST_REQUIRE(run(other.accounts.delete_customer(customer->id))); });
    BOOST_TEST(run(one.accounts.delete_customer(customer->id)).has_value());
    const auto again = run(one.accounts.delete_customer(customer->id));
    BOOST_REQUIRE(!again);
    BOOST_TEST((again.error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_name_is_not_claimed_for_a_user_who_is_deleted_at_that_moment) {
    documents_in_memory store;
    node one(store);
    const auto tenant = one.add_tenant().value();
    const auto admin = one.add_user("a@acme.example", tenant->id).value();
    BOOST_REQUIRE(one.add_user("b@acme.example", tenant->id));
    store.drop_kind("email");
    once_before_writing(store, "email", [&] {
        BOOST_REQUIRE(run(store.erase("user", to_string(admin->id), precondition::match(admin->rev))));
    });
    node after(store);
    BOOST_TEST(store.count("email") == 1U);
    BOOST_TEST(after.add_user("a@acme.example", tenant->id).has_value());
}

BOOST_AUTO_TEST_CASE(claims_without_an_account_are_forgotten) {
    documents_in_memory store;
    node one(store);
    const auto tenant = one.add_tenant().value();
    BOOST_REQUIRE(one.add_user("a@acme.example", tenant->id));
    email_claim orphan;
    orphan.id = name_digest("b@acme.example");
    orphan.holder = random_uuid();
    BOOST_REQUIRE(run(store.save(to_document(orphan), precondition::absent())));
    BOOST_TEST(!one.add_user("b@acme.example", tenant->id).has_value());
    BOOST_REQUIRE(run(one.accounts.forget_expired()));
    BOOST_TEST(store.count("email") == 1U);
    BOOST_TEST(one.add_user("b@acme.example", tenant->id).has_value());
}

BOOST_AUTO_TEST_CASE(an_account_that_others_change_without_end_is_a_conflict) {
    documents_in_memory store;
    node one(store);
    node other(store);
    const auto tenant = one.add_tenant().value();
    const auto admin = one.add_user("a@acme.example", tenant->id).value();
    bool busy = false;
    store.before_write = [&](const std::string& kind) -> std::optional<error> {
        if (busy || kind != "user") return {};
        busy = true;
        elsewhere([&] {
            directory::edit<user> nothing = [](user&) -> result<void> { return {}; };
            BOOST_REQUIRE(run(other.accounts.change_user(admin->id, nothing)));
        });
        busy = false;
        return {};
    };
    directory::edit<user> rename = [](user& value) -> result<void> {
        value.first_name = "N";
        return {};
    };
    const auto changed = run(one.accounts.change_user(admin->id, rename));
    BOOST_REQUIRE(!changed);
    BOOST_TEST((changed.error().code == errc::version_conflict));
}

BOOST_AUTO_TEST_CASE(nothing_is_written_where_the_feed_cannot_be_followed) {
    documents_in_memory store;
    node one(store);
    const auto tenant = one.add_tenant().value();
    const auto before = run(store.last()).value();
    one.cut_off = error{errc::unavailable, "no way to the store"};
    const auto made = one.add_user("a@acme.example", tenant->id);
    BOOST_REQUIRE(!made);
    BOOST_TEST((made.error().code == errc::unavailable));
    BOOST_TEST(run(store.last()).value() == before);
}

BOOST_AUTO_TEST_CASE(a_refresh_token_is_spent_once_by_all_servers_together) {
    documents_in_memory store;
    node one(store);
    node other(store);
    const auto expires = one.accounts.now() + 60'000;
    using spending = directory::spending;
    BOOST_TEST(
        (run(one.accounts.spend_token("t", expires, 30'000, system_tenant)).value() == spending::first));
    BOOST_TEST(
        (run(other.accounts.spend_token("t", expires, 30'000, system_tenant)).value() == spending::again));
    BOOST_TEST(
        (run(other.accounts.spend_token("t", expires, -1, system_tenant)).value() == spending::reused));
    BOOST_TEST(store.count("spent_token") == 1U);
}

BOOST_AUTO_TEST_CASE(the_latest_use_of_a_key_on_any_server_is_the_one_recorded) {
    documents_in_memory store;
    node one(store);
    node other(store);
    const auto tenant = one.add_tenant().value();
    const auto admin = one.add_user("a@acme.example", tenant->id).value();
    api_key value;
    value.holder = admin->id;
    value.owner = tenant->id;
    value.description = "test";
    const auto key = run(one.accounts.create(std::move(value))).value();
    BOOST_REQUIRE(run(other.follow()));
    other.accounts.find_api_key(key->id)->latest_use->store(200'000);
    one.accounts.find_api_key(key->id)->latest_use->store(100'000);
    BOOST_REQUIRE(run(other.accounts.record_uses()));
    BOOST_REQUIRE(run(one.accounts.record_uses()));
    BOOST_REQUIRE(run(other.follow()));
    BOOST_TEST(other.accounts.find_api_key(key->id)->last_used == 200'000);
}

BOOST_AUTO_TEST_CASE(servers_that_start_at_once_sign_tokens_with_one_key) {
    documents_in_memory store;
    std::string other;
    once_before_writing(store, "signing_key",
                        [&] { other = run(auth::load_or_create_signing_key(store, {})).value(); });
    const auto one = run(auth::load_or_create_signing_key(store, {})).value();
    BOOST_TEST(one.size() == auth::min_signing_key_size);
    BOOST_TEST((one == other));
    BOOST_TEST((run(auth::load_or_create_signing_key(store, std::string(64, 'k'))).value() == one));
}

BOOST_AUTO_TEST_CASE(the_key_of_an_earlier_version_goes_on) {
    documents_in_memory store;
    const std::string earlier(64, 'k');
    BOOST_TEST((run(auth::load_or_create_signing_key(store, earlier)).value() == earlier));
    BOOST_TEST((run(auth::load_or_create_signing_key(store, {})).value() == earlier));
}

BOOST_AUTO_TEST_CASE(a_damaged_key_in_the_store_is_not_replaced) {
    documents_in_memory store;
    document damaged;
    damaged.kind = "signing_key";
    damaged.id = "tokens";
    damaged.body = "AAAA";
    BOOST_REQUIRE(run(store.save(damaged, precondition::absent())));
    const auto key = run(auth::load_or_create_signing_key(store, {}));
    BOOST_REQUIRE(!key);
    BOOST_TEST((key.error().code == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(an_administrator_is_not_made_when_the_turn_is_over) {
    documents_in_memory store;
    node one(store);
    auth::password_service passwords{test::quick};
    document turn;
    turn.kind = "lease";
    turn.id = "first_start";
    const auto held = run(store.save(turn, precondition::absent())).value().rev;
    const directory::requirements still_held{
        document_write::require(turn.kind, turn.id, precondition::match(held))};
    once_before_writing(store, "user", [&] { BOOST_REQUIRE(run(store.save(turn, precondition::any()))); });
    const auto made = run(ensure_sysadmin(one.accounts, passwords, "a@gallery.local", "secret1", still_held));
    BOOST_REQUIRE(!made);
    BOOST_TEST((made.error().code == errc::version_conflict));
    BOOST_TEST(store.count("user") + store.count("email") == 0U);
    BOOST_TEST(
        run(ensure_sysadmin(one.accounts, passwords, "a@gallery.local", "secret1")).value().has_value());
}

BOOST_AUTO_TEST_CASE(two_servers_make_one_demo_tenant) {
    documents_in_memory store;
    node one(store);
    node other(store);
    auth::password_service passwords{test::quick};
    once_before_writing(store, "tenant",
                        [&] { BOOST_REQUIRE(run(ensure_demo(other.accounts, passwords, "secret1"))); });
    // It loses, and a start that is repeated finds what there is.
    (void)run(ensure_demo(one.accounts, passwords, "secret1"));
    BOOST_TEST(run(ensure_demo(one.accounts, passwords, "secret1")).value().made.empty());
    BOOST_TEST(store.count("tenant") == 1U);
    BOOST_TEST(store.count("customer") == 1U);
    BOOST_TEST(stored_users(store).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_demo_tenant_after_a_deleted_one_is_another) {
    documents_in_memory store;
    node one(store);
    auth::password_service passwords{test::quick};
    const auto first = run(ensure_demo(one.accounts, passwords, "secret1")).value().tenant;
    tenant_images_eraser nothing = [](tenant_id) -> task<result<void>> { co_return result<void>(); };
    BOOST_REQUIRE(run(one.accounts.delete_tenant(first, nothing)));
    const auto second = run(ensure_demo(one.accounts, passwords, "secret1")).value().tenant;
    BOOST_TEST((first != second));
    BOOST_TEST(one.accounts.find_tenant(second) != nullptr);
}

BOOST_AUTO_TEST_CASE(nobody_is_let_in_by_what_is_too_old) {
    cache::freshness fresh(std::chrono::hours(1));
    fresh.renew(std::chrono::steady_clock::now());
    test::house h({}, {.fresh = &fresh});
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@acme.example", tenant->id);
    const auto [key, secret] = h.add_key(admin);
    const auto token = h.log_in("a@acme.example").value().token;
    BOOST_TEST(h.who(token).has_value());
    BOOST_TEST(h.who_has_key(secret).has_value());

    cache::freshness stale(std::chrono::hours(1));
    stale.renew(std::chrono::steady_clock::now() - std::chrono::hours(2));
    directory later(h.store, {.fresh = &stale});
    BOOST_REQUIRE(run(later.load()));
    later.set_clock([&] { return h.now.load(); });
    authenticator gate(later, h.codec);
    for (const auto& header : {"Bearer " + token, "ApiKey " + secret, std::string("Bearer nonsense")}) {
        const auto who = gate.authenticate(header, h.time());
        BOOST_REQUIRE(!who);
        BOOST_TEST((who.error().code == errc::unavailable));
    }
    // A verified token is refused, too, and good again when memory is.
    stale.renew(std::chrono::steady_clock::now());
    BOOST_TEST(gate.authenticate("Bearer " + token, h.time()).has_value());
    cache::freshness passing(std::chrono::milliseconds(1));
    passing.renew(std::chrono::steady_clock::now());
    directory old(h.store, {.fresh = &passing});
    BOOST_REQUIRE(run(old.load()));
    old.set_clock([&] { return h.now.load(); });
    authenticator again(old, h.codec);
    (void)again.authenticate("Bearer " + token, h.time());
    while (passing.holds())
        std::this_thread::yield();
    BOOST_TEST(!again.authenticate("Bearer " + token, h.time()).has_value());
    logins remembered(old, h.codec, h.passwords, h.limiter);
    const auto activation = remembered.check_activation(std::string(75, 'a'));
    BOOST_REQUIRE(!activation);
    BOOST_TEST((activation.error().code == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(whoever_was_disabled_on_another_server_does_not_log_in) {
    test::house h;
    node other(h.store);
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@acme.example", tenant->id);
    BOOST_REQUIRE(run(other.follow()));
    logins elsewhere(other.accounts, h.codec, h.passwords, h.limiter);
    const auto token = h.log_in("a@acme.example").value().refresh_token;
    BOOST_REQUIRE(run(h.credentials.set_enabled(admin->id, false)));
    BOOST_TEST(!run(elsewhere.log_in("a@acme.example", "secret1", "192.0.2.1")).has_value());
    BOOST_TEST(!run(elsewhere.refresh(token)).has_value());
    other.cut_off = error{errc::unavailable, "no way to the store"};
    const auto unknown = run(elsewhere.log_in("a@acme.example", "secret1", "192.0.2.1"));
    BOOST_REQUIRE(!unknown);
    BOOST_TEST((unknown.error().code == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(two_servers_may_note_that_a_deleted_tenant_has_no_images) {
    documents_in_memory store;
    node one(store);
    node other(store);
    std::int64_t now = 1'700'000'000'000;
    for (auto* server : {&one, &other})
        server->accounts.set_clock([&now] { return now; });
    const auto id = one.add_tenant().value()->id;
    tenant_images_eraser nothing = [](tenant_id) -> task<result<void>> { co_return result<void>(); };
    BOOST_REQUIRE(run(one.accounts.delete_tenant(id, nothing)));
    BOOST_REQUIRE(run(other.follow()));
    // No effect as long as a late upload is possible.
    now += directory::late_upload_ms - 1;
    BOOST_REQUIRE(run(one.accounts.note_no_images(id)));
    BOOST_TEST(one.accounts.deleted_tenants_to_check().size() == 1U);

    now += 1;
    BOOST_REQUIRE(run(one.accounts.note_no_images(id)));
    BOOST_TEST(one.accounts.deleted_tenants_to_check().empty());
    BOOST_TEST(other.accounts.deleted_tenants_to_check().size() == 1U);
    // The other one has not read the feed, so its write meets a conflict.
    const auto written = run(store.last()).value();
    BOOST_REQUIRE(run(other.accounts.note_no_images(id)));
    BOOST_TEST(run(store.last()).value() == written);
    BOOST_TEST(other.accounts.deleted_tenants_to_check().empty());
    for (auto* server : {&one, &other})
        BOOST_TEST(server->accounts.is_tenant_deleted(id));
}

/// Servers on one store whose writes take as long as the test likes. Everything runs in the test's thread.
struct slow_store {
    documents_in_memory store;
    asio::io_context context{1};
    directory one{store};
    directory other{store};
    std::deque<resumption<>> held;

    slow_store() {
        if (!run(one.load()) || !run(other.load())) throw std::logic_error("cannot load");
    }
    ~slow_store() {
        store.hold_write = nullptr;
        while (release()) {
        }
    }
    void hold_writes() {
        store.hold_write = [this](resumption<> waiting) { held.push_back(std::move(waiting)); };
    }
    /// Lets the write that waits in the store be made; false where none does.
    bool release() {
        if (held.empty()) return false;
        held.front().complete();
        held.pop_front();
        go_on();
        return true;
    }
    void go_on() {
        context.restart();
        context.poll();
    }
    template <class T>
    std::shared_ptr<std::optional<T>> begin(task<T> what) {
        auto out = std::make_shared<std::optional<T>>();
        asio::co_spawn(context, std::move(what), [out](std::exception_ptr failed, T got) {
            if (failed) std::rethrow_exception(failed);
            out->emplace(std::move(got));
        });
        go_on();
        return out;
    }
    auto begin_customer(tenant_id owner, const std::string& title) {
        customer value;
        value.owner = owner;
        value.title = title;
        return begin(one.create(std::move(value)));
    }
    /// What was written since.
    std::vector<change> changes_after(revision seen) {
        return run(store.changes(seen, 10'000)).value().changes;
    }
};

tenant_ptr add_tenant(directory& to, const std::string& title) {
    tenant value;
    value.title = title;
    return run(to.create(std::move(value))).value();
}

BOOST_AUTO_TEST_CASE(the_feed_is_followed_before_the_writes_that_wait) {
    slow_store s;
    const auto tenant = add_tenant(s.one, "T");
    const auto foreign = add_tenant(s.other, "U");
    const auto seen = run(s.store.last()).value();
    s.hold_writes();
    std::vector<std::shared_ptr<std::optional<result<customer_ptr>>>> writes;
    for (int i = 0; i < 10; ++i)
        writes.push_back(s.begin_customer(tenant->id, "C" + std::to_string(i)));
    BOOST_TEST(s.held.size() == 1U);  // one at a time
    // What another server wrote waits for the write that is being made, and for no other.
    change of_other;
    of_other.what = change::kind::document_saved;
    of_other.document_kind = "tenant";
    of_other.document_id = to_string(foreign->id);
    of_other.rev = foreign->rev;
    const auto followed = s.begin(s.one.apply(of_other));
    BOOST_TEST(!followed->has_value());
    BOOST_REQUIRE(s.release());
    BOOST_TEST(followed->has_value());
    BOOST_TEST(s.one.find_tenant(foreign->id) != nullptr);
    BOOST_TEST(writes[0]->has_value());
    BOOST_TEST(!writes[1]->has_value());
    // What memory contains already, and what is no account's, waits for nothing.
    auto own = s.changes_after(seen);
    BOOST_REQUIRE(!own.empty());
    change lease = own.front();
    lease.document_kind = "lease";
    own.push_back(lease);
    for (auto& each : own) {
        const auto applied = s.begin(s.one.apply(each));
        BOOST_TEST(applied->has_value(), each.document_kind);
    }
    while (s.release()) {
    }
    for (const auto& each : writes)
        BOOST_TEST((each->has_value() && (*each)->has_value()));
}

BOOST_AUTO_TEST_CASE(a_tenant_with_many_writes_is_refused_more_and_holds_up_no_other) {
    slow_store s;
    const auto busy = add_tenant(s.one, "T");
    const auto quiet = add_tenant(s.one, "U");
    s.hold_writes();
    std::vector<std::shared_ptr<std::optional<result<customer_ptr>>>> writes;
    for (int i = 0; i < 300; ++i)
        writes.push_back(s.begin_customer(busy->id, "C" + std::to_string(i)));
    std::size_t refused = 0;
    for (const auto& each : writes) {
        if (!each->has_value()) continue;
        ++refused;
        const auto& outcome = **each;
        BOOST_REQUIRE(!outcome);
        BOOST_TEST((outcome.error().code == errc::too_many_requests));
        BOOST_TEST(outcome.error().retry_after > 0U);
    }
    BOOST_TEST(refused == 300U - 256U - 1U);
    const auto other = s.begin_customer(quiet->id, "C");
    BOOST_TEST(!other->has_value());
    BOOST_REQUIRE(s.release());  // the one that was being made
    BOOST_REQUIRE(s.release());
    BOOST_TEST((other->has_value() && (*other)->has_value()));
}

BOOST_AUTO_TEST_CASE(changes_are_followed_only_while_other_servers_write) {
    documents_in_memory store;
    directory accounts(store);
    bool others_write = false;
    int followed = 0;
    accounts.follow_with(
        [&]() -> task<result<void>> {
            ++followed;
            co_return result<void>();
        },
        [&] { return others_write; });
    BOOST_REQUIRE(run(accounts.load()));
    BOOST_REQUIRE(run(accounts.catch_up()));
    BOOST_TEST(followed == 0);
    others_write = true;
    BOOST_REQUIRE(run(accounts.catch_up()));
    BOOST_TEST(followed == 1);
}

BOOST_AUTO_TEST_SUITE_END()
