// SPDX-License-Identifier: Apache-2.0
#include "accounts/directory.hpp"
#include "boost_test.hpp"
#include "house.hpp"

#include <string>
#include <thread>
#include <vector>

namespace {

using namespace gallery;
using namespace gallery::accounts;
using namespace gallery::auth;
using gallery::test::house;
using gallery::test::run;

/// Another process on the same store.
struct neighbour {
    explicit neighbour(house& of) : accounts(of.store) {
        accounts.set_clock([&of] { return of.now.load(); });
        BOOST_REQUIRE(run(accounts.load()));
    }
    directory accounts;
};

tenant_images_eraser erase_nothing() {
    return [](tenant_id) -> task<result<void>> { co_return result<void>(); };
}

directory::edit<user> named(std::string name) {
    return [name](user& value) -> result<void> {
        value.first_name = name;
        return {};
    };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(accounts)

BOOST_AUTO_TEST_CASE(everything_is_there_again_after_a_restart) {
    house h;
    const auto tenant = h.add_tenant("Acme");
    const auto customer = h.add_customer(tenant->id, "Shop");
    const auto admin = h.add_user("Ädmin@acme.example", tenant->id);
    const auto member = h.add_user("m@acme.example", tenant->id, "secret1", customer->id);
    const auto [key, secret] = h.add_key(member, h.now + 1000);
    BOOST_REQUIRE(run(h.credentials.set_enabled(member->id, false)));

    neighbour after(h);
    const auto& again = after.accounts;
    BOOST_TEST(again.find_tenant(tenant->id)->title == "Acme");
    BOOST_TEST(again.find_customer(customer->id)->title == "Shop");
    const auto found = again.find_user_by_email("äDMIN@ACME.example");
    BOOST_REQUIRE(found);
    BOOST_TEST((found->id == admin->id));
    BOOST_TEST((found->role == authority::tenant_admin));
    BOOST_TEST(found->password_hash == admin->password_hash);
    BOOST_TEST(!again.find_user(member->id)->enabled);
    BOOST_TEST((again.find_user(member->id)->customer == customer->id));
    const auto status = again.key_status_of(api_key_digest(secret));
    BOOST_REQUIRE(status.key);
    BOOST_TEST((status.key->id == key->id));
    BOOST_TEST(status.key->expiration_time == key->expiration_time);
    BOOST_TEST(again.users_of(tenant->id).size() == 2U);
    BOOST_TEST(again.users_of(customer->id).size() == 1U);
}

BOOST_AUTO_TEST_CASE(no_secret_is_stored_in_the_clear) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id, "hunter2-hunter2");
    const auto [key, secret] = h.add_key(admin);
    auto invited = h.add_user("c@b.example", tenant->id, "");
    BOOST_REQUIRE(run(h.accounts.change_user(invited->id, [&](user& value) -> result<void> {
        value.pending = h.credentials.begin_activation();
        return {};
    })));
    const auto link = run(h.credentials.activation_token(invited->id));
    BOOST_REQUIRE(link);
    const auto all = h.store.everything();
    BOOST_TEST(all.find("hunter2") == std::string::npos);
    BOOST_TEST(all.find(secret) == std::string::npos);
    BOOST_TEST(all.find(secret.substr(3)) == std::string::npos);
    BOOST_TEST(all.find(link->substr(32)) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_email_belongs_to_one_user_in_whatever_case) {
    house h;
    const auto tenant = h.add_tenant();
    const auto first = h.add_user("a@b.example", tenant->id);
    user second;
    second.owner = tenant->id;
    second.role = authority::tenant_admin;
    second.email = "A@B.EXAMPLE";
    const auto refused = run(h.accounts.create(second));
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == errc::already_exists));
    // A changed address frees the old one; a deleted user frees his.
    BOOST_REQUIRE(run(h.accounts.change_user(first->id, [](user& value) -> result<void> {
        value.email = "new@b.example";
        return {};
    })));
    BOOST_TEST(run(h.accounts.create(second)).has_value());
    BOOST_TEST(h.accounts.find_user_by_email("a@b.example") != nullptr);
    BOOST_REQUIRE(run(h.accounts.delete_user(first->id)));
    second.email = "new@b.example";
    BOOST_TEST(run(h.accounts.create(second)).has_value());
}

BOOST_AUTO_TEST_CASE(users_belong_where_their_role_says) {
    house h;
    const auto tenant = h.add_tenant();
    const auto other = h.add_tenant();
    const auto customer = h.add_customer(other->id);
    const auto refuses = [&](authority role, tenant_id owner, std::optional<customer_id> of) {
        user value;
        value.email = "x@y.example";
        value.role = role;
        value.owner = owner;
        value.customer = of;
        const auto out = run(h.accounts.create(std::move(value)));
        return !out && out.error().code == errc::invalid_argument;
    };
    BOOST_TEST(refuses(authority::sys_admin, tenant->id, {}));
    BOOST_TEST(refuses(authority::tenant_admin, system_tenant, {}));
    BOOST_TEST(refuses(authority::tenant_admin, other->id, customer->id));
    BOOST_TEST(refuses(authority::tenant_admin, tenant_id{random_uuid()}, {}));
    BOOST_TEST(refuses(authority::customer_user, tenant->id, {}));
    BOOST_TEST(refuses(authority::customer_user, tenant->id, customer->id));
    BOOST_TEST(refuses(authority::customer_user, tenant->id, customer_id{random_uuid()}));
}

BOOST_AUTO_TEST_CASE(a_write_that_the_store_refuses_changes_nothing_in_memory) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    h.store.before_write = [](const std::string&) { return std::optional<error>({errc::no_space, "full"}); };
    const auto out = run(h.accounts.change_user(admin->id, named("X")));
    BOOST_REQUIRE(!out);
    BOOST_TEST((out.error().code == errc::no_space));
    BOOST_TEST(h.accounts.find_user(admin->id)->first_name.empty());
    user value = *admin;
    value.id = {};
    value.email = "n@b.example";
    BOOST_TEST(!run(h.accounts.create(value)).has_value());
    BOOST_TEST(h.accounts.find_user_by_email("n@b.example") == nullptr);
}

BOOST_AUTO_TEST_CASE(changes_by_two_processes_are_both_kept) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    neighbour other(h);
    BOOST_REQUIRE(run(other.accounts.change_user(admin->id, named("First"))));
    // This process has not heard of it; its write meets a newer revision, reads that and goes on from there.
    BOOST_REQUIRE(run(h.accounts.change_user(admin->id, [](user& value) -> result<void> {
        value.last_name = "L";
        return {};
    })));
    const auto both = h.accounts.find_user(admin->id);
    BOOST_TEST(both->first_name == "First");
    BOOST_TEST(both->last_name == "L");
}

BOOST_AUTO_TEST_CASE(the_change_feed_brings_what_other_processes_wrote) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    neighbour other(h);
    auto from = run(h.store.last()).value();
    const auto [key, secret] = h.add_key(admin);
    BOOST_REQUIRE(run(h.credentials.set_enabled(admin->id, false)));
    const auto second = h.add_user("second@b.example", tenant->id);
    const auto follow = [&] {
        auto batch = run(h.store.changes(from, 100)).value();
        for (const auto& one : batch.changes)
            BOOST_REQUIRE(run(other.accounts.apply(one)));
        from = batch.next;
    };
    const auto epoch = other.accounts.epoch().current();
    follow();
    BOOST_TEST(!other.accounts.find_user(admin->id)->enabled);
    BOOST_TEST(other.accounts.find_user_by_email("second@b.example") != nullptr);
    BOOST_TEST(other.accounts.key_status_of(api_key_digest(secret)).key != nullptr);
    BOOST_TEST(other.accounts.epoch().current() > epoch);
    BOOST_REQUIRE(run(h.accounts.delete_api_key(key->id)));
    BOOST_REQUIRE(run(h.accounts.delete_user(second->id)));
    BOOST_REQUIRE(run(h.accounts.end_session("s", tenant->id)));
    follow();
    BOOST_TEST(other.accounts.key_status_of(api_key_digest(secret)).key == nullptr);
    BOOST_TEST(other.accounts.find_user(second->id) == nullptr);
    BOOST_TEST(other.accounts.account_status_of(second->id, tenant->id, "s").user_deleted);
    BOOST_TEST(other.accounts.account_status_of(second->id, tenant->id, "s").session_ended);
}

BOOST_AUTO_TEST_CASE(own_changes_in_the_feed_are_nothing_new) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    const auto same = h.accounts.find_user(admin->id);
    const auto epoch = h.accounts.epoch().current();
    const auto written = run(h.store.changes(0, 100)).value().changes;
    BOOST_REQUIRE(written.size() >= 2U);  // the tenant and its administrator
    for (const auto& one : written)
        BOOST_REQUIRE(run(h.accounts.apply(one)));
    BOOST_TEST(h.accounts.find_user(admin->id) == same);
    BOOST_TEST(h.accounts.epoch().current() == epoch);
}

BOOST_AUTO_TEST_CASE(deleting_a_tenant_takes_all_that_is_its_own_and_nothing_else) {
    house h;
    const auto tenant = h.add_tenant();
    const auto other = h.add_tenant();
    const auto customer = h.add_customer(tenant->id);
    const auto admin = h.add_user("a@b.example", tenant->id);
    const auto member = h.add_user("m@b.example", tenant->id, "secret1", customer->id);
    const auto stranger = h.add_user("s@b.example", other->id);
    h.add_key(admin);
    h.add_key(stranger);
    std::vector<tenant_id> erased;
    tenant_images_eraser erase = [&](tenant_id id) -> task<result<void>> {
        // By then nobody of the tenant is let in any more.
        BOOST_TEST(h.accounts.account_status_of(admin->id, tenant->id, {}).tenant_deleted);
        erased.push_back(id);
        co_return result<void>();
    };
    BOOST_REQUIRE(run(h.accounts.delete_tenant(tenant->id, erase)));
    BOOST_TEST(h.accounts.is_tenant_deleted(tenant->id));
    BOOST_TEST(!h.accounts.is_tenant_deleted(other->id));
    BOOST_REQUIRE(h.accounts.deleted_tenants_to_check().size() == 1U);
    BOOST_TEST((h.accounts.deleted_tenants_to_check()[0] == tenant->id));
    BOOST_TEST(!erased.empty());
    for (const auto& id : erased)
        BOOST_TEST((id == tenant->id));
    BOOST_TEST(h.accounts.find_tenant(tenant->id) == nullptr);
    BOOST_TEST(h.accounts.find_customer(customer->id) == nullptr);
    BOOST_TEST(h.accounts.find_user(admin->id) == nullptr);
    BOOST_TEST(h.accounts.find_user(member->id) == nullptr);
    BOOST_TEST(h.store.count("api_key") == 1U);
    BOOST_TEST(h.accounts.find_user(stranger->id) != nullptr);
    BOOST_TEST(h.accounts.tenants().size() == 1U);
    const auto again = run(h.accounts.delete_tenant(tenant->id, erase));
    BOOST_REQUIRE(!again);
    BOOST_TEST((again.error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_deletion_that_was_cut_off_keeps_the_tenant_shut_and_can_be_ended) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    tenant_images_eraser failing = [](tenant_id) -> task<result<void>> {
        co_return error{errc::io_error, "disk"};
    };
    BOOST_TEST(!run(h.accounts.delete_tenant(tenant->id, failing)).has_value());
    BOOST_TEST(!h.log_in("a@b.example").has_value());
    neighbour after(h);
    const auto open = after.accounts.unfinished_deletions();
    BOOST_REQUIRE(open.size() == 1U);
    BOOST_TEST((open[0] == tenant->id));
    BOOST_TEST(after.accounts.is_tenant_deleted(tenant->id));
    BOOST_TEST(after.accounts.deleted_tenants_to_check().empty());
    BOOST_TEST(after.accounts.account_status_of(admin->id, tenant->id, {}).tenant_deleted);
    BOOST_REQUIRE(run(after.accounts.delete_tenant(tenant->id, erase_nothing())));
    BOOST_TEST(after.accounts.unfinished_deletions().empty());
    BOOST_TEST(after.accounts.find_user(admin->id) == nullptr);
}

BOOST_AUTO_TEST_CASE(keys_of_a_user_whose_deletion_was_cut_off_are_no_good_and_are_swept) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    const auto [key, secret] = h.add_key(admin);
    h.store.before_write = [](const std::string& kind) -> std::optional<error> {
        if (kind == "api_key") return error{errc::io_error, "power cut"};
        return {};
    };
    BOOST_TEST(!run(h.accounts.delete_user(admin->id)).has_value());
    h.store.before_write = nullptr;
    BOOST_TEST(!h.who_has_key(secret).has_value());
    neighbour after(h);
    BOOST_TEST(after.accounts.key_status_of(api_key_digest(secret)).account == nullptr);
    BOOST_REQUIRE(run(after.accounts.forget_expired()));
    BOOST_TEST(h.store.count("api_key") == 0U);
}

BOOST_AUTO_TEST_CASE(what_has_expired_is_forgotten) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    BOOST_REQUIRE(run(h.accounts.delete_user(admin->id)));
    BOOST_REQUIRE(run(h.accounts.end_session("s", tenant->id)));
    BOOST_REQUIRE(run(h.accounts.spend_token("t", h.now + 1000, 0, tenant->id)));
    BOOST_REQUIRE(run(h.accounts.forget_expired()));
    BOOST_TEST(h.store.count("user") + h.store.count("session") + h.store.count("spent_token") == 3U);
    h.pass(std::chrono::hours(24 * 8));
    BOOST_REQUIRE(run(h.accounts.forget_expired()));
    BOOST_TEST(h.store.count("user") + h.store.count("session") + h.store.count("spent_token") == 0U);
}

BOOST_AUTO_TEST_CASE(tombstones_stay_where_the_signing_key_is_shared) {
    house h({}, {.keep_tombstones = true});
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    BOOST_REQUIRE(run(h.accounts.delete_user(admin->id)));
    h.pass(std::chrono::hours(24 * 800));
    BOOST_REQUIRE(run(h.accounts.forget_expired()));
    BOOST_TEST(h.accounts.account_status_of(admin->id, tenant->id, {}).user_deleted);
}

BOOST_AUTO_TEST_CASE(an_account_that_cannot_be_read_stops_the_start) {
    house h;
    document broken;
    broken.kind = "user";
    broken.id = to_string(random_uuid());
    broken.body = R"({"tenant":"x"})";
    BOOST_REQUIRE(run(h.store.save(broken, precondition::any())));
    directory after(h.store);
    const auto loaded = run(after.load());
    BOOST_REQUIRE(!loaded);
    BOOST_TEST((loaded.error().code == errc::corrupt));
    BOOST_TEST(loaded.error().message.find(broken.id) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_customers_title_is_unique_within_its_tenant) {
    house h;
    const auto first = h.add_tenant();
    const auto second = h.add_tenant();
    h.add_customer(first->id, "Shop");
    h.add_customer(second->id, "Shop");
    customer again;
    again.owner = first->id;
    again.title = "Shop";
    const auto refused = run(h.accounts.create(again));
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == errc::already_exists));
}

BOOST_AUTO_TEST_CASE(readers_and_writers_on_many_threads_see_whole_accounts) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("a@b.example", tenant->id);
    std::atomic<bool> stop{false};
    std::atomic<int> torn{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&] {
            while (!stop) {
                const auto seen = h.accounts.find_user(admin->id);
                if (!seen || seen->first_name != seen->last_name) ++torn;
                if (h.accounts.users_of(tenant->id).size() != 1) ++torn;
            }
        });
    }
    std::vector<std::thread> writers;
    for (int t = 0; t < 2; ++t) {
        writers.emplace_back([&, t] {
            for (int i = 0; i < 100; ++i) {
                const auto name = std::to_string(t * 1000 + i);
                directory::edit<user> both = [name](user& value) -> result<void> {
                    value.first_name = name;
                    value.last_name = name;
                    return {};
                };
                if (!run(h.accounts.change_user(admin->id, std::move(both)))) ++torn;
            }
        });
    }
    for (auto& thread : writers)
        thread.join();
    stop = true;
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(torn.load() == 0);
    BOOST_TEST(h.accounts.find_user(admin->id)->version == 201);
}

BOOST_AUTO_TEST_SUITE_END()
