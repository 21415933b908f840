// SPDX-License-Identifier: Apache-2.0
// Limits of a tenant for its images.
#include "gallery_fixture.hpp"

#include "images/extraction.hpp"
#include "images/resource_export.hpp"

#include "boost_test.hpp"

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

using namespace gallery;
using gallery::test::await;
using gallery::test::may_write;

namespace {

const images::record_check any_version;

/// Of so many bytes.
std::string picture_of(std::size_t size) {
    return "PICTURE" + std::string(size - 7, 'x');
}

struct limited_fixture : test::gallery_fixture {
    images::tenant_quota quota;
    images::image_service limited{
        *store, etags, test::inspect_by_prefix, {}, cache::always_fresh, [this](const tenant_id& whose) {
            return whose == tenant ? quota : images::tenant_quota();
        }};

    result<record_ptr> store_image(const std::string& name, std::size_t size, tenant_id whose) {
        images::new_image image;
        image.file = file(name, picture_of(size));
        return await(limited.upload(may_write(whose), std::move(image)));
    }
    result<record_ptr> store_image(const std::string& name, std::size_t size) {
        return store_image(name, size, tenant);
    }
    result<record_ptr> replace(const std::string& key, std::size_t size) {
        return await(limited.replace(may_write(tenant), key, file(key, picture_of(size)), any_version));
    }
    result<record_ptr> import(const std::string& key, std::size_t size) {
        images::resource_export made;
        made.resource_key = key;
        made.file_name = key;
        const auto content = picture_of(size);
        made.data.assign(content.begin(), content.end());
        made.digest = sha256(content);
        return await(limited.import(may_write(tenant), std::move(made), any_version));
    }
    std::uint64_t used() { return await(store->usage(tenant)).value().images.original_bytes; }
};

void expect_refused(const result<record_ptr>& got, std::vector<std::string> words) {
    BOOST_TEST_REQUIRE(got.has_error());
    BOOST_TEST((got.error().code == errc::too_large));
    for (const auto& word : words)
        BOOST_TEST(got.error().message.find(word) != std::string::npos, got.error().message);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(quotas_of_tenants, limited_fixture)

BOOST_AUTO_TEST_CASE(the_size_of_an_image_is_limited_however_it_comes) {
    quota.max_image_bytes = 100;
    BOOST_TEST(store_image("a.png", 100).has_value());
    expect_refused(store_image("b.png", 101), {"100 bytes", "this tenant", "101"});
    expect_refused(replace("a.png", 101), {"100 bytes", "101"});
    expect_refused(import("a.png", 101), {"100 bytes", "101"});
    expect_refused(import("c.png", 101), {"100 bytes", "101"});
    BOOST_TEST(used() == 100U);
    BOOST_TEST(limited.limits().refused().by_size == 4U);
    // Another tenant has no limit.
    BOOST_TEST(store_image("b.png", 101, tenant_id{random_uuid()}).has_value());
}

BOOST_AUTO_TEST_CASE(the_smaller_of_the_limits_of_tenant_and_server_applies) {
    quota.max_image_bytes = 100;
    const auto own = limited.limits().limit_of_image(tenant, 1'000);
    BOOST_TEST(own.bytes == 100U);
    BOOST_TEST(own.is_of_tenant);
    const auto of_server = limited.limits().limit_of_image(tenant, 99);
    BOOST_TEST(of_server.bytes == 99U);
    BOOST_TEST(!of_server.is_of_tenant);
    BOOST_TEST(limited.limits().limit_of_image(tenant_id{random_uuid()}, 99).bytes == 99U);
    BOOST_TEST(images::smaller_limit(0, 5) == 5U);
    BOOST_TEST(images::smaller_limit(5, 0) == 5U);
    BOOST_TEST(images::smaller_limit(5, 4) == 4U);
}

BOOST_AUTO_TEST_CASE(the_bytes_of_all_images_are_limited) {
    quota.max_total_bytes = 1'000;
    BOOST_TEST(store_image("a.png", 600).has_value());
    expect_refused(store_image("b.png", 401), {"1000 bytes", "have 600", "401 bytes", "Delete images"});
    expect_refused(import("b.png", 401), {"1000 bytes", "have 600"});
    BOOST_TEST(store_image("b.png", 400).has_value());
    BOOST_TEST(used() == 1'000U);
    BOOST_TEST(limited.limits().refused().by_total == 2U);
    BOOST_TEST(store_image("b.png", 2'000, tenant_id{random_uuid()}).has_value());
}

BOOST_AUTO_TEST_CASE(a_tenant_over_its_limit_can_read_replace_by_less_and_delete) {
    BOOST_TEST(store_image("a.png", 600).has_value());
    BOOST_TEST(store_image("b.png", 400).has_value());
    quota.max_total_bytes = 500;
    BOOST_TEST(content(await(limited.find(may_write(tenant), "a.png")).value()) == picture_of(600));
    expect_refused(replace("a.png", 601), {"500 bytes", "601 bytes, instead of 600"});
    BOOST_TEST(replace("a.png", 600).has_value());
    BOOST_TEST(replace("a.png", 300).has_value());
    BOOST_TEST(import("a.png", 200).has_value());
    BOOST_TEST(await(limited.rename(may_write(tenant), "a.png", "other", any_version)).has_value());
    expect_refused(store_image("c.png", 10), {});
    BOOST_TEST(await(limited.erase(may_write(tenant), "b.png", any_version)).has_value());
    BOOST_TEST(store_image("c.png", 300).has_value());
    BOOST_TEST(used() == 500U);
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_fit_is_refused_before_it_is_read) {
    quota.max_total_bytes = 1'000;
    BOOST_TEST(store_image("a.png", 600).has_value());
    const auto room = [this](std::uint64_t size, std::uint64_t replaced) {
        return await(limited.require_room(may_write(tenant), size, replaced));
    };
    BOOST_TEST(room(400, 0).has_value());
    BOOST_TEST(room(401, 0).has_error());
    BOOST_TEST(room(1'000, 600).has_value());
    BOOST_TEST(room(1'001, 600).has_error());
    quota.max_total_bytes = 100;
    BOOST_TEST(room(600, 600).has_value());
    BOOST_TEST(room(1, 0).has_error());
    quota.max_total_bytes = 0;
    BOOST_TEST(room(1'000'000, 0).has_value());
}

BOOST_AUTO_TEST_CASE(no_number_of_simultaneous_uploads_exceeds_the_limit) {
    constexpr unsigned thread_count = 8;
    constexpr unsigned images_each = 20;
    quota.max_total_bytes = 50 * 100 + 99;
    std::atomic<unsigned> stored{0};
    std::atomic<unsigned> refused{0};
    std::atomic<unsigned> too_much{0};
    {
        std::latch all_are_there(thread_count);
        std::vector<std::jthread> threads;
        for (unsigned t = 0; t < thread_count; ++t)
            threads.emplace_back([&] {
                all_are_there.arrive_and_wait();
                for (unsigned i = 0; i < images_each; ++i) {
                    const auto got = store_image("same name.png", 100);
                    if (got) ++stored;
                    if (!got && got.error().code == errc::too_large) ++refused;
                    if (used() > quota.max_total_bytes) ++too_much;
                }
            });
    }
    BOOST_TEST(stored == 50U);
    BOOST_TEST(refused == thread_count * images_each - 50U);
    BOOST_TEST(too_much == 0U);
    BOOST_TEST(used() == 5'000U);
}

BOOST_AUTO_TEST_CASE(usage_is_shown_to_the_tenants_administrator_and_to_system_administrators) {
    auth::principal who;
    who.tenant = tenant;
    who.role = auth::authority::tenant_admin;
    const tenant_id other{random_uuid()};
    BOOST_TEST((images::authorise_usage(who, std::nullopt).value().tenant() == tenant));
    BOOST_TEST((images::authorise_usage(who, tenant).value().tenant() == tenant));
    BOOST_TEST((images::authorise_usage(who, other).error().code == errc::permission_denied));
    who.role = auth::authority::customer_user;
    BOOST_TEST((images::authorise_usage(who, std::nullopt).error().code == errc::permission_denied));
    who.role = auth::authority::sys_admin;
    who.tenant = system_tenant;
    BOOST_TEST((images::authorise_usage(who, other).value().tenant() == other));
    BOOST_TEST((images::authorise_usage(who, std::nullopt).value().tenant() == system_tenant));
}

BOOST_AUTO_TEST_SUITE_END()
