// SPDX-License-Identifier: Apache-2.0
// Kept versions in the tree, and what a kill leaves of the writes that keep and drop them.
#include "tree_fixture.hpp"

using namespace gallery;
using namespace gallery::contract;
using gallery::test::await;

namespace {

struct kept_fixture : tree_fixture {
    image first = make(tenant_number(1), "a", 300, 30);
    image second = with_bytes(first, 400, 40);
    record_ptr first_record = must_save(first);

    static write_rules keeping(std::int64_t time) {
        return {precondition::any(), previous_version::keep(time)};
    }

    /// The one folder of a kept version.
    fs::path kept_folder() const {
        std::vector<fs::path> found;
        for (const auto& name : names_in(tenant_folder(1)))
            if (name.starts_with(".kept-")) found.push_back(tenant_folder(1) / name);
        BOOST_TEST_REQUIRE(found.size() == 1U);
        return found[0];
    }
    void expect_first_is_kept(bool is_erased) {
        const auto versions = all_kept();
        BOOST_TEST_REQUIRE(versions.size() == 1U);
        BOOST_TEST((*versions[0].record == *first_record));
        BOOST_TEST(versions[0].kept_time == 17);
        BOOST_TEST(versions[0].is_erased == is_erased);
        BOOST_TEST(read(versions[0].record, representation::original).value() == first.original);
        BOOST_TEST(read(versions[0].record, representation::preview).value() == first.preview);
    }
    change newest_change() { return changes_after(last_change() - 1).at(0); }
    void expect_change(change::kind what, revision rev) {
        const auto newest = newest_change();
        BOOST_TEST((newest.what == what));
        BOOST_TEST(newest.rev == rev);
        BOOST_TEST(newest.kept == first_record->content_rev);
        BOOST_TEST((newest.id == first_record->id));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(kept_in_the_tree, kept_fixture)

BOOST_AUTO_TEST_CASE(a_kept_version_is_a_folder_whose_name_says_since_when_and_why) {
    const auto rev = save(second, keeping(17))->rev;
    auto digits = std::to_string(rev);
    digits.insert(0, 20 - digits.size(), '0');
    BOOST_TEST(kept_folder().filename() == ".kept-" + digits + "-17-replaced");
    const std::vector<std::string> wanted = {"original.jpg", "preview.png", "record.json"};
    BOOST_TEST(names_in(kept_folder()) == wanted);
    expect_first_is_kept(false);
    reopen();
    expect_stored(second);
    expect_first_is_kept(false);
    BOOST_TEST(await(store().usage(tenant_number(1)))->kept.original_bytes == 300U);
}

BOOST_AUTO_TEST_CASE(a_time_before_1970_is_kept) {
    erase(tenant_number(1), "a", keeping(-5)).value();
    reopen();
    BOOST_TEST(all_kept().at(0).kept_time == -5);
}

BOOST_AUTO_TEST_CASE(a_save_that_keeps_is_in_the_feed_after_a_kill) {
    const auto rev = save(second, keeping(17))->rev;
    close();
    cut_log(1);
    reopen();
    expect_stored(second);
    expect_first_is_kept(false);
    expect_change(change::kind::image_saved, rev);
}

BOOST_AUTO_TEST_CASE(a_save_that_keeps_and_did_not_get_into_its_place_is_gone) {
    save(second, keeping(17)).value();
    const auto folder = kept_folder();
    close();
    // As before the two folders were exchanged.
    cut_log(1);
    fs::rename(tenant_folder(1) / "a", root() / "new");
    fs::rename(folder, tenant_folder(1) / "a");
    fs::rename(root() / "new", folder);
    reopen();
    expect_stored(first);
    BOOST_TEST(all_kept().empty());
    BOOST_TEST(!fs::exists(folder));
    BOOST_TEST(newest_change().rev == first_record->rev);
}

BOOST_AUTO_TEST_CASE(a_version_that_was_renamed_before_a_kill_is_put_back) {
    save(second, keeping(17)).value();
    close();
    // As between the two steps where folders cannot be exchanged.
    cut_log(1);
    fs::remove_all(tenant_folder(1) / "a");
    reopen();
    expect_stored(first);
    BOOST_TEST(all_kept().empty());
    BOOST_TEST(newest_change().rev == first_record->rev);
}

BOOST_AUTO_TEST_CASE(a_version_whose_image_was_erased_later_is_not_put_back) {
    save(second, keeping(17)).value();
    erase(tenant_number(1), "a").value();
    reopen();
    expect_absent(second);
    expect_first_is_kept(false);
}

BOOST_AUTO_TEST_CASE(an_erasure_that_keeps_is_in_the_feed_after_a_kill) {
    const auto rev = erase(tenant_number(1), "a", keeping(17))->rev;
    close();
    cut_log(1);
    reopen();
    expect_absent(first);
    expect_first_is_kept(true);
    expect_change(change::kind::image_erased, rev);
}

BOOST_AUTO_TEST_CASE(a_stored_version_is_in_the_feed_after_a_kill) {
    const auto outcome = await(
        store().save_kept(first.record, bytes::own(first.original), bytes::own(first.preview), 17, true));
    first_record = outcome->record;
    close();
    cut_log(1);
    reopen();
    expect_first_is_kept(true);
    expect_change(change::kind::version_kept, outcome->rev);
}

BOOST_AUTO_TEST_CASE(a_dropped_version_is_in_the_feed_after_a_kill) {
    erase(tenant_number(1), "a", keeping(17)).value();
    const auto folder = kept_folder();
    fs::copy(folder, root() / "copy", fs::copy_options::recursive);
    const auto rev = await(store().drop_kept(first_record->id, first_record->content_rev))->rev;
    close();
    cut_log(1);
    auto digits = std::to_string(rev);
    digits.insert(0, 20 - digits.size(), '0');
    fs::create_directories(tenant_folder(1));
    fs::rename(root() / "copy", tenant_folder(1) / (".dropped-" + digits + "-x"));
    reopen();
    BOOST_TEST(all_kept().empty());
    expect_change(change::kind::version_dropped, rev);
    while (!remains().empty())  // removed in the background
        continue;
}

BOOST_AUTO_TEST_CASE(a_version_that_is_there_twice_is_set_aside_once) {
    save(second, keeping(17)).value();
    const auto folder = kept_folder();
    close();
    fs::copy(folder, tenant_folder(1) / ".kept-00000000000000000900-1-erased", fs::copy_options::recursive);
    reopen();
    BOOST_TEST(all_kept().size() == 1U);
    BOOST_TEST(names_in(root() / ".gallery/set-aside").size() == 1U);
    leave_unchecked();
}

BOOST_AUTO_TEST_CASE(a_version_whose_folder_is_gone_is_corrupt_and_can_be_dropped) {
    save(second, keeping(17)).value();
    fs::remove_all(kept_folder());
    const auto got = read(all_kept().at(0).record, representation::original);
    BOOST_TEST_REQUIRE(got.has_error());
    BOOST_TEST(got.error().code == errc::corrupt);
    const auto outcome = await(store().drop_kept(first_record->id, first_record->content_rev));
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->status == write_status::committed);
}

BOOST_AUTO_TEST_CASE(a_save_that_keeps_what_somebody_removed_keeps_nothing) {
    fs::remove_all(tenant_folder(1) / "a");
    const auto outcome = save(second, keeping(17));
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->kept == 0U);
    BOOST_TEST(all_kept().empty());
    BOOST_TEST((await(store().usage(tenant_number(1)))->kept == usage_figures{}));
    expect_stored(second);
}

BOOST_AUTO_TEST_SUITE_END()
