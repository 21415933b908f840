// SPDX-License-Identifier: Apache-2.0
// Targets and sources that are refused, and failures of either side.
#include "stores.hpp"

#include <string>
#include <thread>

namespace gallery::mirror::test {

BOOST_AUTO_TEST_SUITE(refusals)

BOOST_AUTO_TEST_CASE(a_store_with_other_data_is_no_target_and_is_left_unchanged) {
    scratch_store source("memory");
    fill(*source, 3);
    for (const bool has_image : {true, false}) {
        scratch_store target("memory");
        if (has_image) {
            save(*target, make_picture(tenant(1), "a", "other"));
        } else {
            save_document(*target, "user", "somebody", "{}");
        }
        const auto before = await(target->feed().last()).value();
        copier all(*source, *target, "the source", small_pages());
        const auto begun = await(all.begin(false));
        BOOST_REQUIRE(begun.has_error());
        BOOST_TEST(bool(begun.error().code == errc::already_exists));
        BOOST_TEST(begun.error().message.find("other data") != std::string::npos);
        BOOST_TEST(await(target->feed().last()).value() == before);
    }
}

BOOST_AUTO_TEST_CASE(a_copy_of_another_source_is_continued_only_if_that_is_asked_for) {
    scratch_store source("memory");
    scratch_store other("memory");
    scratch_store target("memory");
    fill(*source, 10);
    fill(*other, 20);
    copier first(*source, *target, "one source", small_pages());
    require(copy_all(first));
    copier second(*other, *target, "another source", small_pages());
    const auto begun = await(second.begin(false));
    BOOST_REQUIRE(begun.has_error());
    BOOST_TEST(bool(begun.error().code == errc::already_exists));
    BOOST_TEST(begun.error().message.find("one source") != std::string::npos);
    check_same(*source, *target);

    require(await(second.begin(true)));
    require(await(second.copy_all()));
    check_same(*other, *target);
}

BOOST_AUTO_TEST_CASE(another_store_of_the_same_name_is_another_source) {
    scratch_store source("memory");
    scratch_store other("memory");
    scratch_store target("memory");
    fill(*source, 5);
    fill(*other, 5);
    copier first(*source, *target, "the source", small_pages());
    require(copy_all(first));
    copier second(*other, *target, "the source", small_pages());
    const auto begun = await(second.begin(false));
    BOOST_REQUIRE(begun.has_error());
    BOOST_TEST(bool(begun.error().code == errc::already_exists));
    check_same(*source, *target);
    BOOST_TEST(await(find_mark(target->documents())).value()->value.is_complete);

    require(await(second.begin(true)));
    require(await(second.copy_all()));
    check_same(*other, *target);
    copier third(*source, *target, "the source", small_pages());
    BOOST_TEST(await(third.begin(false)).has_error());
}

BOOST_AUTO_TEST_CASE(a_copy_has_an_identity_of_its_own) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 5);
    const auto id = identify(*source);
    BOOST_TEST(identify(*source) == id);
    copier all(*source, *target, "the source", small_pages());
    require(copy_all(all));
    const auto other = await(find_identity(target->documents())).value();
    BOOST_TEST(!other.empty());
    BOOST_TEST(other != id);
    BOOST_TEST(await(find_mark(target->documents())).value()->value.source_id == id);
}

BOOST_AUTO_TEST_CASE(a_copy_of_a_source_without_identity_is_continued_only_if_that_is_asked_for) {
    scratch_store source("memory");
    scratch_store target("memory");
    save(*source, make_picture(tenant(1), "a", "first"));
    copier first(*source, *target, "the source", small_pages());
    require(copy_all(first));
    for (const bool is_identified : {false, true}) {
        if (is_identified) identify(*source);  // it may be another store than the one that was copied
        copier second(*source, *target, "the source", small_pages());
        const auto begun = await(second.begin(false));
        BOOST_REQUIRE(begun.has_error());
        BOOST_TEST(bool(begun.error().code == errc::already_exists));
        BOOST_TEST(begun.error().message.find("identity") != std::string::npos);
        BOOST_TEST(await(find_mark(target->documents())).value()->value.is_complete);
    }
    copier third(*source, *target, "the source", small_pages());
    require(await(third.begin(true)));
    require(await(third.copy_all()));
    require(await(third.complete(false)));
    copier fourth(*source, *target, "the source", small_pages());
    require(copy_all(fourth));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(a_target_that_accepts_no_writes_is_refused) {
    scratch_store source("memory");
    scratch_store target("memory");
    faulty_store closed(*target);
    closed.state = {write_state::kind::read_only, "the disk is mounted read-only"};
    copier all(*source, closed, "the source", small_pages());
    const auto begun = await(all.begin(false));
    BOOST_REQUIRE(begun.has_error());
    BOOST_TEST(bool(begun.error().code == errc::read_only));
    BOOST_TEST(begun.error().message.find("mounted read-only") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_incomplete_copy_is_no_source) {
    scratch_store source("memory");
    scratch_store target("memory");
    mark half;
    half.source = "yet another";
    save_document(*source, std::string(mark_kind), "state", to_json(half));
    copier all(*source, *target, "the source", small_pages());
    BOOST_TEST(bool(await(all.begin(false)).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(a_damaged_body_is_reported_and_everything_else_is_copied) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 30);
    faulty_store damaged(*source);
    bool is_damaged = true;
    damaged.faulty.on_read = [&is_damaged](const image_record& record) -> std::optional<error> {
        if (!is_damaged || record.key != "key-1") return std::nullopt;
        return error{errc::corrupt, "its bytes do not match"};
    };
    copier all(damaged, *target, "the source", small_pages());
    require(await(all.begin(false)));
    require(await(all.copy_all()));
    BOOST_REQUIRE(all.problems().size() == 1U);
    BOOST_TEST(all.problems()[0].find("'key-1'") != std::string::npos);
    BOOST_TEST(bool(await(all.complete(false)).error().code == errc::corrupt));
    BOOST_TEST(differences(*source, *target).size() == 1U);
    BOOST_TEST(await(find_mark(target->documents())).value()->value.is_complete == false);

    // The next run knows that something is missing, although it has not seen the damage itself.
    is_damaged = false;
    copier again(damaged, *target, "the source", small_pages());
    require(copy_all(again));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(a_damaged_body_does_not_replace_the_good_one_of_an_earlier_copy) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 10);
    copier first(*source, *target, "the source", small_pages());
    require(copy_all(first));
    faulty_store damaged(*source);
    damaged.faulty.on_read = [](const image_record&) { return error{errc::corrupt, "gone"}; };
    copier second(damaged, *target, "the source", small_pages());
    require(await(second.begin(false)));
    require(await(second.copy_all()));
    require(await(second.complete(false)));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(damage_can_be_accepted) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 10);
    faulty_store damaged(*source);
    damaged.faulty.on_read = [](const image_record& record) -> std::optional<error> {
        if (record.key == "key-1") return error{errc::io_error, "input/output error"};
        return std::nullopt;
    };
    copier all(damaged, *target, "the source", small_pages());
    require(await(all.begin(false)));
    require(await(all.copy_all()));
    require(await(all.complete(true)));
    const auto stored = await(find_mark(target->documents())).value();
    BOOST_TEST(stored->value.is_complete);
    BOOST_TEST(stored->value.is_damaged);
}

BOOST_AUTO_TEST_CASE(bytes_that_differ_from_their_record_are_not_copied) {
    // An engine that answers with other bytes, as if it did not check hashes.
    scratch_store source("memory");
    scratch_store target("memory");
    save(*source, make_picture(tenant(1), "good", "good"));
    save(*source, make_picture(tenant(1), "other", "other"));
    auto wrong = *await(source->images().find(tenant(1), "good")).value();
    wrong.original.etag[0] ^= std::byte{1};
    body_reader reader(1 << 20);
    const auto loaded =
        await(reader.load(source->images(), std::make_shared<const image_record>(std::move(wrong))));
    BOOST_REQUIRE(loaded.has_error());
    BOOST_TEST(bool(loaded.error().code == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(a_full_target_ends_the_copy_which_goes_on_when_there_is_space) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 30);
    faulty_store full(*target);
    int saves = 0;
    full.faulty.on_save = [&saves]() -> std::optional<error> {
        if (++saves > 12) return error{errc::no_space, "the disk is full"};
        return std::nullopt;
    };
    copier first(*source, full, "the source", small_pages());
    require(await(first.begin(false)));
    const auto ended = await(first.copy_all());
    BOOST_REQUIRE(ended.has_error());
    BOOST_TEST(bool(ended.error().code == errc::no_space));
    BOOST_TEST(ended.error().message.find("target") != std::string::npos);

    full.faulty.on_save = nullptr;
    require(copy_all(first));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(two_copies_into_one_target_do_not_both_go_on) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 30);
    copier first(*source, *target, "the source", small_pages());
    copier second(*source, *target, "the source", small_pages());
    require(await(first.begin(false)));
    require(await(second.begin(false)));
    BOOST_TEST(bool(await(first.copy_all()).error().code == errc::version_conflict));
    require(await(second.copy_all()));
}

BOOST_AUTO_TEST_CASE(a_target_that_a_server_has_taken_over_is_not_written) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 3);
    copier all(*source, *target, "the source", small_pages());
    require(copy_all(all));
    require(await(all.complete(false)));
    BOOST_REQUIRE(await(take_over(target->documents())).has_value());
    save(*source, make_picture(tenant(0), "later", "later"));
    save_document(*source, "user", "later", "{}");
    const auto before = await(target->feed().last()).value();
    const auto refused = await(all.follow());
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(bool(refused.error().code == errc::version_conflict));
    BOOST_TEST(await(target->feed().last()).value() == before);
}

BOOST_AUTO_TEST_CASE(an_unfinished_pass_is_not_complete) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 10);
    copier all(*source, *target, "the source", small_pages());
    require(await(all.begin(false)));
    BOOST_TEST(bool(await(all.complete(false)).error().code == errc::unavailable));
    BOOST_TEST(!await(find_mark(target->documents())).value()->value.is_complete);
}

BOOST_AUTO_TEST_CASE(a_copy_is_complete_only_if_that_was_stored) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 10);
    faulty_store full(*target);
    copier all(*source, full, "the source", small_pages());
    require(await(all.begin(false)));
    require(await(all.copy_all()));
    full.faulty_texts.on_write = [] { return error{errc::no_space, "the disk is full"}; };
    BOOST_TEST(bool(await(all.complete(false)).error().code == errc::no_space));
    full.faulty_texts.on_write = nullptr;
    BOOST_TEST(!all.state().is_complete);
    require(await(all.complete(false)));
    BOOST_TEST(await(find_mark(target->documents())).value()->value.is_complete);
}

BOOST_AUTO_TEST_CASE(a_source_that_is_written_at_the_end_is_noticed) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source, 10);
    copier all(*source, *target, "the source", small_pages());
    require(await(all.begin(false)));
    require(await(all.copy_all()));
    save_document(*source, "node", "of-a-server", "{\"n\":2}");
    const auto ended = await(all.complete(false));
    BOOST_REQUIRE(ended.has_error());
    BOOST_TEST(bool(ended.error().code == errc::unavailable));
    BOOST_TEST(!await(find_mark(target->documents())).value()->value.is_complete);
    require(copy_all(all));
}

BOOST_AUTO_TEST_CASE(an_image_that_only_the_target_has_is_kept_if_the_source_does_not_answer) {
    for (const auto code : {errc::corrupt, errc::unavailable}) {
        scratch_store source("memory");
        scratch_store target("memory");
        fill(*source, 10);
        copier first(*source, *target, "the source", small_pages());
        require(copy_all(first));
        save(*target, make_picture(tenant(1), "only here", "more"));
        faulty_store faulty(*source);
        faulty.faulty.on_find = [code](const std::string& key) -> std::optional<error> {
            if (key == "only here") return error{code, "no answer"};
            return std::nullopt;
        };
        copier second(faulty, *target, "the source", small_pages());
        require(await(second.begin(false)));
        const auto ended = await(second.copy_all());
        if (code == errc::corrupt) {
            require(ended);
            BOOST_TEST(second.problems().size() == 1U);
            BOOST_TEST(bool(await(second.complete(false)).error().code == errc::corrupt));
        } else {
            BOOST_REQUIRE(ended.has_error());
            BOOST_TEST(bool(ended.error().code == code));
        }
        BOOST_TEST(await(target->images().find(tenant(1), "only here")).has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_target_that_others_write_all_the_time_is_an_error) {
    for (const bool source_changes : {false, true}) {
        scratch_store source("memory");
        scratch_store target("memory");
        save(*source, make_picture(tenant(1), "a", "first"));
        faulty_store written(*target);
        int count = 0;
        // From a thread of its own, as the test's thread is within the copy.
        written.faulty.on_save = [&]() -> std::optional<error> {
            if (++count > 8 && source_changes) return std::nullopt;
            std::thread([&] {
                const auto text = std::to_string(count);
                save(*target, make_picture(tenant(1), "a", "of another process " + text));
                if (source_changes) save(*source, make_picture(tenant(1), "a", "later " + text));
            }).join();
            return std::nullopt;
        };
        copier all(*source, written, "the source", small_pages());
        require(await(all.begin(false)));
        const auto ended = await(all.copy_all());
        if (source_changes) {
            require(ended);
            check_same(*source, *target);
        } else {
            BOOST_REQUIRE(ended.has_error());
            BOOST_TEST(bool(ended.error().code == errc::version_conflict));
            BOOST_TEST(count == 8);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
