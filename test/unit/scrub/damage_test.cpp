// SPDX-License-Identifier: Apache-2.0
// What counts as damage, how it is reported, and when it is forgotten.
#include "scrubbed_store.hpp"

namespace gallery::scrub::test {

namespace {

struct damaged_fixture {
    scratch_store stored{"memory"};
    faulty_store store{*stored};
    surroundings around;
    std::string damaged_key;
    errc code = errc::corrupt;

    damaged_fixture() {
        fill(*stored);
        store.faulty.on_read = [this](const image_record& record) -> std::optional<error> {
            if (record.key != damaged_key) return std::nullopt;
            return error{code, "its bytes are wrong"};
        };
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(damage, damaged_fixture)

BOOST_AUTO_TEST_CASE(a_pass_reads_every_body_of_images_and_kept_versions) {
    server one(store, around);
    one.pass();
    const auto now = one.status();
    BOOST_TEST(bool(now.stored.done == contents(*stored)));
    BOOST_TEST(now.stored.total.images == now.stored.done.images);
    BOOST_TEST(now.stored.total.versions == now.stored.done.versions);
    BOOST_TEST(now.stored.total.bytes == now.stored.done.bytes);
    BOOST_TEST(now.bodies == now.stored.done.bodies);
    BOOST_TEST(now.bytes == now.stored.done.bytes);
    BOOST_TEST(now.stored.completed_at == around.now);
    BOOST_TEST(now.problem.empty());
    BOOST_TEST(around.problems.empty());
}

BOOST_AUTO_TEST_CASE(each_damaged_body_is_logged_once_also_after_a_restart) {
    damaged_key = "key-3";
    server one(store, around);
    one.pass();
    const auto logged = std::count_if(around.problems.begin(), around.problems.end(), [](const auto& text) {
        return text.find("the original of the image 'key-3'") != std::string::npos;
    });
    BOOST_TEST(logged == 1);
    around.problems.clear();
    one.pass();
    server restarted(store, around);
    restarted.pass();
    BOOST_TEST(!mentions(around.problems, "key-3"));
    BOOST_TEST(restarted.status().stored.damaged() >= 1U);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_sound_again_is_seen_at_the_begin_of_the_next_pass) {
    damaged_key = "key-19";
    server one(store, around);
    one.pass();
    BOOST_REQUIRE(one.status().stored.damaged() >= 1U);
    damaged_key.clear();
    BOOST_REQUIRE(one.start().has_value());
    one.step();
    BOOST_TEST(one.status().stored.damaged() == 0U);
    BOOST_TEST(one.status().stored.done.images == 0U);
    BOOST_TEST(mentions(around.notes, "is sound again"));
}

BOOST_AUTO_TEST_CASE(a_damaged_image_that_was_replaced_or_deleted_is_forgotten) {
    damaged_key = "key-3";
    server one(store, around);
    one.pass();
    BOOST_REQUIRE(one.status().stored.damaged() >= 1U);
    erase(*stored, tenant(1), "key-3");
    one.pass();
    BOOST_TEST(one.status().stored.damaged() == 0U);
}

BOOST_AUTO_TEST_CASE(an_error_that_does_not_repeat_is_no_damage) {
    int failures = 0;
    store.faulty.on_read = [&failures](const image_record& record) -> std::optional<error> {
        if (record.key != "key-3" || ++failures > 1) return std::nullopt;
        return error{errc::io_error, "once"};
    };
    server one(store, around);
    one.pass();
    BOOST_TEST(failures > 1);
    BOOST_TEST(one.status().stored.damaged() == 0U);
    BOOST_TEST(around.problems.empty());
}

BOOST_AUTO_TEST_CASE(an_error_of_the_disk_that_repeats_is_damage) {
    damaged_key = "key-3";
    code = errc::io_error;
    server one(store, around);
    one.pass();
    BOOST_TEST(one.status().stored.damaged() >= 1U);
}

BOOST_AUTO_TEST_CASE(a_version_that_was_replaced_meanwhile_is_no_damage) {
    damaged_key = "key-3";
    code = errc::stale;
    server one(store, around);
    one.pass();
    BOOST_TEST(one.status().stored.damaged() == 0U);
    BOOST_TEST(one.status().stored.completed_at == around.now);
}

BOOST_AUTO_TEST_CASE(a_store_that_does_not_answer_is_no_damage_and_is_asked_again) {
    damaged_key = "key-3";
    code = errc::unavailable;
    server one(store, around);
    BOOST_REQUIRE(one.start().has_value());
    milliseconds wait{0};
    for (int i = 0; i < 100 && wait.count() == 0; ++i)
        wait = one.step();
    BOOST_TEST((wait == one.options.retry));
    BOOST_TEST(bool(one.status().state == scrub_state::running));
    BOOST_TEST(one.status().problem.find("its bytes are wrong") != std::string::npos);
    BOOST_TEST(one.status().stored.damaged() == 0U);
    damaged_key.clear();
    one.run();
    BOOST_TEST(bool(one.status().stored.done == contents(*stored)));
    BOOST_TEST(one.status().problem.empty());
}

BOOST_AUTO_TEST_CASE(of_many_damaged_bodies_some_are_named_and_all_are_counted) {
    for (unsigned i = 0; i < 2 * damage_list::max_size; ++i)
        save(*stored, make_picture(tenant(5), "bad-" + std::to_string(i), std::to_string(i)));
    store.faulty.on_read = [](const image_record& record) -> std::optional<error> {
        if (record.tenant != tenant(5)) return std::nullopt;
        return error{errc::corrupt, std::string(300, 'x')};
    };
    std::uint64_t damaged = 0;
    for (const auto& record : await(stored->images().scan(tenant(5), "", 1'000)).value().items)
        damaged += record->preview_is_original ? 1 : 2;
    server one(store, around);
    one.pass();
    const auto now = one.status().stored;
    BOOST_TEST(now.damage.all().size() == damage_list::max_size);
    BOOST_TEST(now.damaged() == damaged);
    BOOST_TEST(around.stored->size() <= document_store::max_body_size);
    one.pass();
    BOOST_TEST(one.status().stored.damaged() == damaged);
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_does_not_hide_what_is_behind_it) {
    server one(store, around);
    one.pass();
    const auto complete = around.now;
    ++around.now;
    const auto is_lost = [](const image_record& record) { return record.key == "key-8"; };
    store.faulty.is_unreadable = is_lost;
    figures expected = contents(*stored);
    const auto leave_out = [&](const image_record& record, std::uint64_t& number) {
        if (!is_lost(record)) return;
        --number;
        expected.bodies -= record.preview_is_original ? 1 : 2;
        expected.bytes -= record.original.size + (record.preview_is_original ? 0 : record.preview.size);
    };
    for (const auto& record : await(stored->images().scan(std::nullopt, "", 1'000)).value().items)
        leave_out(*record, expected.images);
    for (const auto& version : mirror::test::all_kept(*stored))
        leave_out(*version.record, expected.versions);
    expected.unread = 2;
    one.pass();
    BOOST_TEST(bool(one.status().stored.done == expected));
    BOOST_TEST(one.status().stored.completed_at == complete);
    BOOST_TEST(one.status().is_incomplete);
    BOOST_TEST(one.status().problem.find("'key-8'") != std::string::npos);
    BOOST_TEST(mentions(around.problems, "'key-8'"));

    // Known after a restart and during the next pass, until that has read everything.
    server restarted(store, around);
    restarted.step();
    BOOST_TEST(restarted.status().is_incomplete);
    store.faulty.is_unreadable = nullptr;
    BOOST_REQUIRE(restarted.start().has_value());
    restarted.step();
    BOOST_TEST(restarted.status().is_incomplete);
    restarted.run();
    BOOST_TEST(!restarted.status().is_incomplete);
    BOOST_TEST(restarted.status().problem.empty());
    BOOST_TEST(restarted.status().stored.completed_at == around.now);
}

BOOST_AUTO_TEST_CASE(a_list_that_ends_early_is_reported_until_a_pass_has_read_it) {
    int failures = 0;
    store.faulty.on_scan = [&failures]() -> std::optional<error> {
        return ++failures == 2 ? std::optional(error{errc::corrupt, "a block is damaged"}) : std::nullopt;
    };
    server one(store, around);
    one.pass();
    BOOST_TEST(one.status().is_incomplete);
    BOOST_TEST(one.status().problem.find("a block is damaged") != std::string::npos);
    BOOST_TEST(one.status().stored.completed_at == 0);
    BOOST_TEST(one.status().stored.done.versions > 0U);  // they follow the images
    one.pass();
    BOOST_TEST(!one.status().is_incomplete);
    BOOST_TEST(one.status().stored.completed_at == around.now);
}

BOOST_AUTO_TEST_CASE(a_pass_that_was_stopped_is_no_failure) {
    server one(store, around);
    BOOST_REQUIRE(one.start().has_value());
    BOOST_REQUIRE(one.stop().has_value());
    BOOST_TEST(!one.status().problem.empty());
    BOOST_TEST(!one.status().is_incomplete);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::scrub::test
