// SPDX-License-Identifier: Apache-2.0
// A write whose commit fails is taken back: at once, or by the next write once the disk is well again.
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <cerrno>
#include <functional>

using namespace gallery;
using namespace gallery::contract;
using gallery::test::await;

namespace {

struct taking_back_fixture : tree_fixture {
    image kept = make(tenant_number(1), "kept");
    image other = make(tenant_number(2), "other");
    image fresh = make(tenant_number(1), "fresh");
    record_ptr record = must_save(kept);
    document doc{"user", "u", "{\"old\":1}", 0};
    document second{"user", "w", "{\"old\":2}", 0};
    kept_version version;
    revision last = 0;

    taking_back_fixture() {
        auto replaced = make(tenant_number(1), "replaced");
        must_save(replaced);
        must_save(replaced, {precondition::any(), previous_version::keep(5)});
        version = all_kept().at(0);
        save_document(second).value();

        save_document(doc).value();
        must_save(other);
        last = last_change();
    }

    struct attempt {
        std::string what;
        std::function<result<write_outcome>()> write;
        std::string folder;  ///< in which it is renamed
    };
    /// Each kind of write, none of which may leave a trace.
    std::vector<attempt> attempts() {
        auto retitled = *record;
        retitled.title = "new";
        const auto tenant = to_string(tenant_number(1));
        return {
            {"save", [this] { return save(fresh); }, tenant},
            {"replacement", [this] { return save(with_bytes(kept, 500, 50)); }, tenant},
            {"update", [this, retitled] { return update(retitled); }, tenant + "/kept"},
            {"erasure", [this] { return erase(tenant_number(1), "kept"); }, tenant},
            {"document",
             [this] {
                 return save_document({"user", "u", "{}", 0});
             },
             "accounts/user"},
            {"new document",
             [this] {
                 return save_document({"user", "v", "{}", 0});
             },
             "accounts/user"},
            {"replacement that keeps",
             [this] {
                 return save(with_bytes(kept, 500, 50), {precondition::any(), previous_version::keep(7)});
             },
             tenant},
            {"erasure that keeps",
             [this] {
                 return erase(tenant_number(1), "kept", {precondition::any(), previous_version::keep(7)});
             },
             tenant},
            {"version",
             [this] {
                 return await(store().save_kept(fresh.record, bytes::own(fresh.original),
                                                bytes::own(fresh.preview), 7, true));
             },
             tenant},
            {"erasure of a version",
             [this] { return await(store().drop_kept(version.record->id, version.record->content_rev)); },
             tenant},
            {"group", [this] { return write_group(); }, ".gallery/journal"},
            {"document's erasure",
             [this] { return await(documents().erase("user", "u", precondition::any())); }, "accounts/user"},
        };
    }

    result<write_outcome> write_group() {
        std::vector<document_write> parts;
        parts.push_back(document_write::save({"user", "u", "{}", 0}, precondition::present()));
        parts.push_back(document_write::save({"user", "v", "{}", 0}, precondition::absent()));
        parts.push_back(document_write::erase("user", "w", precondition::any()));
        const auto outcome = await(documents().write(std::move(parts)));
        if (!outcome) return outcome.error();
        return write_outcome{outcome->status, outcome->revs.at(0), nullptr, 0};
    }

    void expect_nothing_happened() {
        expect_stored(kept);
        expect_absent(fresh);
        BOOST_TEST(await(documents().find("user", "u"))->body == doc.body);
        BOOST_TEST(await(documents().find("user", "v")).has_error());
        BOOST_TEST(await(documents().find("user", "w"))->body == second.body);
        const auto versions = all_kept();
        BOOST_TEST_REQUIRE(versions.size() == 1U);
        BOOST_TEST((*versions[0].record == *version.record));
        BOOST_TEST(read(versions[0].record, representation::original).has_value());
        BOOST_TEST(engine_usage_is_right());
        for (const auto& one : changes_after(last))
            BOOST_TEST((one.tenant == other.record.tenant));
        expect_sound();
    }
    bool engine_usage_is_right() {
        const auto usage = await(store().usage(tenant_number(1))).value();
        return usage.images.count == 2 && usage.kept.count == 1;
    }
    void expect_nothing_happened_also_to_the_next_start() {
        expect_nothing_happened();
        reopen();
        expect_nothing_happened();
        BOOST_TEST(remains().empty());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(taking_back, taking_back_fixture)

BOOST_AUTO_TEST_CASE(a_full_disk_can_be_emptied_after_a_commit_that_did_not_fit) {
    for (const auto& one : attempts()) {
        BOOST_TEST_INFO_SCOPE(one.what);
        must_save(other);
        const bool needs_files = one.what.find("eras") == std::string::npos;
        const bool has_bodies =
            one.what == "save" || one.what == "version" || one.what.starts_with("replacement");
        const unsigned files = has_bodies ? 3 : 1;
        {
            const disk_fault log(disk_call::write, ".gallery/changes", ENOSPC);
            // Only what the write itself needs still fits, nothing that taking it back would write.
            const disk_fault no_more(disk_call::create, "", ENOSPC, needs_files ? files : 0);
            const auto outcome = one.write();
            BOOST_TEST_REQUIRE(outcome.has_error());
            BOOST_TEST(outcome.error().code == errc::no_space);
            BOOST_TEST(log.hits() == 1U);
        }
        const disk_fault no_new_file(disk_call::create, "", ENOSPC);
        const auto erased = erase(tenant_number(2), "other");
        BOOST_REQUIRE_MESSAGE(erased.has_value(), erased.error().message);
        BOOST_TEST(erased->status == write_status::committed);
        expect_nothing_happened();
        reopen();
    }
    expect_nothing_happened_also_to_the_next_start();
}

BOOST_AUTO_TEST_CASE(what_cannot_be_synchronised_now_is_taken_back_by_the_next_write_without_a_restart) {
    for (const auto& one : attempts()) {
        BOOST_TEST_INFO_SCOPE(one.what);
        {
            const disk_fault no_descriptors(disk_call::open, one.folder + '$', EMFILE);
            const auto outcome = one.write();
            BOOST_TEST_REQUIRE(outcome.has_error());
            BOOST_TEST(outcome.error().code == errc::io_error);
            const auto next = save(other);
            BOOST_TEST_REQUIRE(next.has_error());
            BOOST_TEST(next.error().code == errc::busy);
        }
        must_save(other);
        expect_nothing_happened();
    }
    expect_nothing_happened_also_to_the_next_start();
}

BOOST_AUTO_TEST_CASE(steps_of_taking_back_are_done_once) {
    auto& options = under_test().options;
    for (const auto* way : {"auto", "never"}) {
        options["rename_exchange"] = way;
        reopen();
        for (const auto& one : attempts()) {
            BOOST_TEST_INFO_SCOPE(one.what << ", " << way);
            {
                const disk_fault log(disk_call::write, ".gallery/changes", ENOSPC);
                const disk_fault folder(disk_call::open, one.folder + '$', EMFILE, 1);
                BOOST_TEST(one.write().has_error());
                BOOST_TEST(save(other).has_error());
                BOOST_TEST(folder.hits() == 2U);
            }
            must_save(other);
            expect_nothing_happened();
        }
    }
    options.erase("rename_exchange");
    expect_nothing_happened_also_to_the_next_start();
}

BOOST_AUTO_TEST_CASE(closing_takes_back_what_is_left) {
    for (const auto& one : attempts()) {
        BOOST_TEST_INFO_SCOPE(one.what);
        {
            const disk_fault fault(disk_call::sync, one.folder + '$', EIO, 0);
            BOOST_TEST(one.write().has_error());
        }
        expect_nothing_happened_also_to_the_next_start();
    }
}

BOOST_AUTO_TEST_CASE(where_files_cannot_have_two_names_a_copy_is_put_back) {
    under_test().options["rename_exchange"] = "never";
    reopen();
    under_test().options.erase("rename_exchange");
    const disk_fault no_links(disk_call::link, "", EPERM);
    for (const auto& one : attempts()) {
        BOOST_TEST_INFO_SCOPE(one.what);
        const disk_fault log(disk_call::write, ".gallery/changes", ENOSPC);
        BOOST_TEST(one.write().has_error());
    }
    BOOST_TEST(no_links.hits() != 0U);
    expect_nothing_happened_also_to_the_next_start();
}

BOOST_AUTO_TEST_SUITE_END()
