// SPDX-License-Identifier: Apache-2.0
// The upkeep and deleted tenants: the number of calls to the store, not time.
#include "app/upkeep.hpp"

#include "await.hpp"
#include "boost_test.hpp"
#include "images/gallery_fixture.hpp"
#include "plugins/measured_engine.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace gallery;
using gallery::test::await;
using plugins::operation;

struct upkeep_fixture {
    plugins::measured_engine engine{test::open_memory_engine(), "memory"};
    std::atomic<std::int64_t> now{1'700'000'000'000};
    cache::etag_cache etags{1 << 20, std::chrono::minutes(10)};
    accounts::directory accounts{engine.documents()};
    /// An image service of a server that does not know of any deletion.
    images::image_service images{engine.images(), etags, test::inspect_by_prefix};
    app::node_registry nodes{engine.documents(), [] { return false; }, {}, [this] { return now.load(); }};
    app::write_watch writes{engine, [](bool, std::string_view) {}};

    upkeep_fixture() {
        accounts.set_clock([this] { return now.load(); });
        BOOST_REQUIRE(await(accounts.load()));
    }

    void pass(std::chrono::milliseconds time) { now += time.count(); }

    tenant_id add_tenant() {
        accounts::tenant value;
        value.title = "T" + to_string(random_uuid());
        return await(accounts.create(std::move(value))).value()->id;
    }
    void delete_tenant(tenant_id id) {
        accounts::tenant_images_eraser erase = [this](tenant_id of) {
            return app::erase_images_of(images, of);
        };
        BOOST_REQUIRE(await(accounts.delete_tenant(id, std::move(erase))));
    }
    void upload(tenant_id id) {
        images::new_image image;
        image.file = test::gallery_fixture::file("late.png", "PICTURE");
        BOOST_REQUIRE(await(images.upload(test::may_write(id), std::move(image))));
    }
    std::uint64_t images_of(tenant_id id) {
        return await(images.count(images::permit_of_the_server<images::image_operation::read>(id))).value();
    }

    void run() {
        const app::upkeep_subjects on{etags, writes, accounts, images, nodes, nullptr};
        const auto once = [](app::upkeep_subjects subjects) -> task<result<void>> {
            co_await app::run_upkeep(subjects);
            co_return result<void>();
        };
        BOOST_REQUIRE(await(once(on)));
    }

    std::uint64_t count(operation what) const {
        const auto counts = engine.figures(what).counts;
        return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    }
    /// Calls to the store by one run.
    struct calls {
        std::uint64_t scans = 0;
        std::uint64_t kept = 0;
        std::uint64_t documents = 0;
    };
    calls calls_of_a_run() {
        const calls before{count(operation::scan), count(operation::kept), count(operation::documents)};
        run();
        return {count(operation::scan) - before.scans, count(operation::kept) - before.kept,
                count(operation::documents) - before.documents};
    }
};

constexpr std::chrono::milliseconds a_day{accounts::directory::late_upload_ms};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(upkeep, upkeep_fixture)

BOOST_AUTO_TEST_CASE(a_run_does_not_visit_every_tenant_ever_deleted) {
    add_tenant();
    const auto idle = calls_of_a_run();
    std::vector<tenant_id> deleted;
    for (int i = 0; i < 20; ++i) {
        deleted.push_back(add_tenant());
        delete_tenant(deleted.back());
    }
    const auto soon = calls_of_a_run();
    BOOST_TEST(soon.scans == idle.scans + 20);
    BOOST_TEST(soon.documents == idle.documents);
    BOOST_TEST(accounts.deleted_tenants_to_check().size() == 20U);

    pass(a_day);
    const auto marking = calls_of_a_run();
    BOOST_TEST(marking.scans == idle.scans + 20);
    BOOST_TEST(marking.documents == idle.documents + 20);
    BOOST_TEST(accounts.deleted_tenants_to_check().empty());

    const auto later = calls_of_a_run();
    BOOST_TEST(later.scans == idle.scans);
    BOOST_TEST(later.kept == idle.kept);
    BOOST_TEST(later.documents == idle.documents);
    for (const auto& id : deleted)
        BOOST_TEST(accounts.is_tenant_deleted(id));

    // After a restart as well.
    accounts::directory restarted(engine.documents());
    BOOST_REQUIRE(await(restarted.load()));
    BOOST_TEST(restarted.deleted_tenants_to_check().empty());
    for (const auto& id : deleted)
        BOOST_TEST(restarted.is_tenant_deleted(id));
}

BOOST_AUTO_TEST_CASE(an_image_that_is_stored_after_the_deletion_is_erased_and_the_tenant_is_checked_again) {
    const auto id = add_tenant();
    delete_tenant(id);
    upload(id);
    run();
    BOOST_TEST(images_of(id) == 0U);

    // Even in the first run after the time: an image that was found means that another may follow.
    pass(a_day);
    upload(id);
    run();
    BOOST_TEST(images_of(id) == 0U);
    BOOST_TEST(accounts.deleted_tenants_to_check().size() == 1U);
    run();
    BOOST_TEST(accounts.deleted_tenants_to_check().empty());
}

BOOST_AUTO_TEST_CASE(tombstones_of_earlier_versions_are_visited_once) {
    document tombstone;
    tombstone.kind = accounts::tenant::document_kind;
    tombstone.id = to_string(random_uuid());
    tombstone.body = R"({"createdTime":1,"version":1,"deleted":true})";
    const auto id = tenant_id{*parse_uuid(tombstone.id)};
    BOOST_REQUIRE(await(engine.documents().save(std::move(tombstone), precondition::absent())));
    BOOST_REQUIRE(await(accounts.load()));
    BOOST_TEST(accounts.is_tenant_deleted(id));
    const auto first = calls_of_a_run();
    const auto second = calls_of_a_run();
    BOOST_TEST(first.scans == second.scans + 1);
    BOOST_TEST(accounts.is_tenant_deleted(id));
}

BOOST_AUTO_TEST_CASE(an_interrupted_deletion_is_completed) {
    const auto id = add_tenant();
    upload(id);
    accounts::tenant_images_eraser failing = [](tenant_id) -> task<result<void>> {
        co_return error{errc::io_error, "disk"};
    };
    BOOST_TEST(!await(accounts.delete_tenant(id, failing)));
    BOOST_TEST(images_of(id) == 1U);
    run();
    BOOST_TEST(images_of(id) == 0U);
    BOOST_TEST(accounts.unfinished_deletions().empty());
    BOOST_TEST(accounts.is_tenant_deleted(id));
}

BOOST_AUTO_TEST_SUITE_END()
