// SPDX-License-Identifier: Apache-2.0
// After a failed synchronisation nothing is written until the next start, and reads go on.
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <cerrno>

using namespace gallery;
using namespace gallery::contract;

namespace {

struct stopped_fixture : tree_fixture {
    image kept = make(tenant_number(1), "kept", 50'000);
    image other = make(tenant_number(1), "other");
    document doc{"user", "u", "{}", 0};

    stopped_fixture() {
        must_save(kept);
        must_save(other);
        save_document(doc).value();
    }

    void expect_stopped(const result<write_outcome>& failed) {
        BOOST_TEST_REQUIRE(failed.has_error());
        BOOST_TEST(failed.error().code == errc::io_error);
        BOOST_TEST(failed.error().message.find("unknown") != std::string::npos, failed.error().message);
        const auto state = engine().writing();
        BOOST_TEST((state.state == write_state::kind::failed));
        BOOST_TEST(state.reason.find("restart the server") != std::string::npos, state.reason);
        expect_refused(save(make(tenant_number(2), "late")));
        expect_refused(update(*must_find(tenant_number(1), "other")));
        expect_refused(erase(tenant_number(1), "other"));
        expect_refused(save_document(doc));
        expect_refused(test::await(documents().erase("user", "u", precondition::any())));
    }
    static void expect_refused(const result<write_outcome>& outcome) {
        BOOST_TEST_REQUIRE(outcome.has_error());
        BOOST_TEST(outcome.error().code == errc::read_only);
    }
    void expect_reads() {
        expect_stored(kept);
        expect_stored(other);
        BOOST_TEST(test::await(documents().find("user", "u")).has_value());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(stopped, stopped_fixture)

BOOST_AUTO_TEST_CASE(a_failed_synchronisation_ends_writing_until_the_next_start) {
    const auto tenant = to_string(tenant_number(1));
    for (const auto& part : {tenant + '$', std::string("original."), std::string("record.json"),
                             std::string(".gallery/changes")}) {
        BOOST_TEST_INFO_SCOPE(part);
        take_log();
        {
            const disk_fault fault(disk_call::sync, part, EIO);
            expect_stopped(save(make(tenant_number(1), "fresh", 40'000)));
            BOOST_TEST(fault.hits() != 0U);
        }
        // Also once the disk seems well.
        expect_refused(save(make(tenant_number(2), "late")));
        BOOST_TEST(was_logged(take_log(), "Writing has stopped"));
        expect_reads();
        reopen();
        BOOST_TEST((engine().writing() == write_state()));
        expect_reads();
        must_save(other);
        erase(tenant_number(1), "fresh").value();
        expect_sound();
    }
}

BOOST_AUTO_TEST_CASE(a_failed_synchronisation_of_a_document_ends_writing) {
    for (const auto* part : {".tmp-", "accounts/user$", ".gallery/changes"}) {
        BOOST_TEST_INFO_SCOPE(part);
        {
            const disk_fault fault(disk_call::sync, part, EIO);
            expect_stopped(save_document({"user", "u", "{\"n\":1}", 0}));
        }
        expect_reads();
        reopen();
        expect_reads();
        save_document(doc).value();
    }
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_begun_because_of_a_failed_synchronisation_ends_writing) {
    make_changes(10'000);
    const disk_fault fault(disk_call::sync, ".gallery/changes", EIO);
    expect_stopped(save_document(doc));
    expect_reads();
}

BOOST_AUTO_TEST_SUITE_END()
