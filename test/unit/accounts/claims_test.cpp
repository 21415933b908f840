// SPDX-License-Identifier: Apache-2.0
// Names that only one account may have, decided by the store.
#define GALLERY_TEST_MODULE "accounts"
#include "accounts/claims.hpp"
#include "accounts/account_documents.hpp"
#include "boost_test.hpp"
#include "house.hpp"

#include <string>

namespace {

using namespace gallery;
using namespace gallery::accounts;
using gallery::test::house;
using gallery::test::run;

/// Another server on the same store, whose memory is as old as its last look at the feed.
struct neighbour {
    explicit neighbour(house& of) : accounts(of.store) { BOOST_REQUIRE(run(accounts.load())); }

    result<user_ptr> add_admin(std::string email, tenant_id owner) {
        user value;
        value.email = std::move(email);
        value.owner = owner;
        value.role = auth::authority::tenant_admin;
        return run(accounts.create(std::move(value)));
    }
    result<customer_ptr> add_customer(std::string title, tenant_id owner) {
        customer value;
        value.title = std::move(title);
        value.owner = owner;
        return run(accounts.create(std::move(value)));
    }
    directory accounts;
};

directory::edit<user> with_email(std::string email) {
    return [email](user& value) -> result<void> {
        value.email = email;
        return {};
    };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(claims)

BOOST_AUTO_TEST_CASE(an_address_taken_on_another_server_is_refused_before_the_feed_brings_it) {
    house h;
    const auto tenant = h.add_tenant();
    neighbour other(h);
    h.add_user("Admin@acme.example", tenant->id);
    const auto second = other.add_admin("aDMIN@acme.example", tenant->id);
    BOOST_REQUIRE(!second);
    BOOST_TEST((second.error().code == errc::already_exists));
    BOOST_TEST(h.store.count("user") == 1U);
    BOOST_TEST(h.store.count("email") == 1U);
    BOOST_TEST(other.add_admin("another@acme.example", tenant->id).has_value());
}

BOOST_AUTO_TEST_CASE(a_customer_title_taken_on_another_server_is_refused_in_its_tenant_only) {
    house h;
    const auto tenant = h.add_tenant();
    const auto elsewhere = h.add_tenant();
    neighbour other(h);
    h.add_customer(tenant->id, "Shop");
    const auto second = other.add_customer("Shop", tenant->id);
    BOOST_REQUIRE(!second);
    BOOST_TEST((second.error().code == errc::already_exists));
    BOOST_TEST(other.add_customer("Shop", elsewhere->id).has_value());
    BOOST_TEST(other.add_customer("shop", tenant->id).has_value());
    BOOST_TEST(h.store.count("customer") == 3U);
}

BOOST_AUTO_TEST_CASE(a_new_address_is_claimed_and_the_old_one_is_free) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("old@acme.example", tenant->id);
    neighbour other(h);
    BOOST_REQUIRE(run(h.accounts.change_user(admin->id, with_email("new@acme.example"))));
    BOOST_TEST(h.store.count("email") == 1U);
    const auto taken = other.add_admin("new@acme.example", tenant->id);
    BOOST_REQUIRE(!taken);
    BOOST_TEST((taken.error().code == errc::already_exists));
    // The other server's memory still has the old address of the first user until it reads the feed.
    auto batch = run(h.store.changes(0, 100)).value();
    for (const auto& one : batch.changes)
        BOOST_REQUIRE(run(other.accounts.apply(one)));
    BOOST_TEST(other.add_admin("old@acme.example", tenant->id).has_value());
}

BOOST_AUTO_TEST_CASE(changing_only_the_case_of_an_address_keeps_its_claim) {
    house h;
    const auto tenant = h.add_tenant();
    const auto admin = h.add_user("admin@acme.example", tenant->id);
    BOOST_REQUIRE(run(h.accounts.change_user(admin->id, with_email("Admin@Acme.example"))));
    BOOST_TEST(h.accounts.find_user(admin->id)->email == "Admin@Acme.example");
    BOOST_TEST(h.store.count("email") == 1U);
}

BOOST_AUTO_TEST_CASE(deleted_accounts_give_their_names_up) {
    house h;
    const auto tenant = h.add_tenant();
    const auto customer = h.add_customer(tenant->id, "Shop");
    const auto member = h.add_user("m@acme.example", tenant->id, "secret1", customer->id);
    BOOST_REQUIRE(run(h.accounts.delete_customer(customer->id)));
    BOOST_TEST(h.store.count("email") == 0U);
    BOOST_TEST(h.store.count("customer_title") == 0U);
    neighbour other(h);
    BOOST_TEST(other.add_admin("m@acme.example", tenant->id).has_value());
    BOOST_TEST(other.add_customer("Shop", tenant->id).has_value());
}

BOOST_AUTO_TEST_CASE(nobody_joins_a_tenant_that_another_server_is_deleting) {
    house h;
    const auto tenant = h.add_tenant();
    neighbour other(h);
    tenant_images_eraser failing = [](tenant_id) -> task<result<void>> {
        co_return error{errc::io_error, "disk"};
    };
    BOOST_REQUIRE(!run(h.accounts.delete_tenant(tenant->id, failing)));
    BOOST_TEST(!other.accounts.is_tenant_deleted(tenant->id));  // it has not read the feed
    const auto late = other.add_admin("late@acme.example", tenant->id);
    BOOST_REQUIRE(!late);
    BOOST_TEST((late.error().code == errc::invalid_argument));
    BOOST_TEST(h.store.count("user") == 0U);
    BOOST_TEST(h.store.count("email") == 0U);
}

BOOST_AUTO_TEST_CASE(a_store_without_claims_gets_them_when_it_is_loaded) {
    house h;
    const auto tenant = h.add_tenant();
    for (int i = 0; i < 100; ++i)
        h.add_user("u" + std::to_string(i) + "@acme.example", tenant->id);
    h.add_customer(tenant->id, "Shop");
    h.store.drop_kind("email");
    h.store.drop_kind("customer_title");
    neighbour after(h);
    BOOST_TEST(h.store.count("email") == 100U);
    BOOST_TEST(h.store.count("customer_title") == 1U);
}

BOOST_AUTO_TEST_CASE(a_store_without_claims_that_takes_no_writes_is_loaded_all_the_same) {
    house h;
    const auto tenant = h.add_tenant();
    h.add_user("a@acme.example", tenant->id);
    h.store.drop_kind("email");
    h.store.before_write = [](const std::string&) { return std::optional<error>({errc::no_space, "full"}); };
    neighbour after(h);
    BOOST_TEST(after.accounts.find_user_by_email("a@acme.example") != nullptr);
    h.store.before_write = nullptr;
    const auto second = after.add_admin("a@acme.example", tenant->id);
    BOOST_REQUIRE(!second);
    BOOST_TEST((second.error().code == errc::already_exists));
}

BOOST_AUTO_TEST_SUITE_END()
