// SPDX-License-Identifier: Apache-2.0
// A copy that ends in the middle continues.
#include "stores.hpp"

#include <string>

namespace gallery::mirror::test {

BOOST_AUTO_TEST_SUITE(interruptions)

BOOST_AUTO_TEST_CASE(a_copy_that_is_stopped_anywhere_continues_after_both_stores_were_opened_again) {
    for (const char* engine : {"filesystem", "rocksdb"}) {
        for (const int stop_after : {1, 20, 45, 70, 85, 100}) {
            BOOST_TEST_CONTEXT(engine << ", stopped after " << stop_after) {
                scratch_store source(engine);
                scratch_store target(engine);
                fill(*source);
                auto options = small_pages();
                int questions = 0;
                options.is_stopping = [&questions, stop_after] { return ++questions > stop_after; };
                std::uint64_t copied = 0;
                {
                    copier first(*source, *target, "the source", std::move(options));
                    require(await(first.begin(false)));
                    const auto ended = await(first.copy_all());
                    BOOST_REQUIRE(ended.has_error());
                    BOOST_TEST(is_stopped(ended.error()));
                    copied = first.done().images_copied;
                    BOOST_TEST(await(take_over(target->documents())).has_error());
                }
                source.reopen();
                target.reopen();
                copier second(*source, *target, "the source", small_pages());
                require(copy_all(second));
                check_same(*source, *target);
                // What was copied before is not copied again.
                const auto images = await(source->images().usage(std::nullopt)).value().images.count;
                BOOST_TEST(second.done().images_copied + copied == images);
                BOOST_TEST(second.done().images_done == images);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(changes_between_two_runs_are_applied) {
    scratch_store source("filesystem");
    scratch_store target("memory");
    fill(*source);
    auto options = small_pages();
    int questions = 0;
    options.is_stopping = [&questions] { return ++questions > 60; };
    copier first(*source, *target, "the source", std::move(options));
    require(await(first.begin(false)));
    BOOST_TEST(await(first.copy_all()).has_error());
    // Before and after the cursor.
    erase(*source, tenant(0), "key-12");
    erase(*source, tenant(2), "key-29");
    save(*source, make_picture(tenant(0), "a new one", "new"));
    save(*source, make_picture(tenant(2), "zzz", "newer"));
    save_document(*source, "user", "id-0", "changed");
    source.reopen();
    copier second(*source, *target, "the source", small_pages());
    require(copy_all(second));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(a_cursor_that_the_source_does_not_know_begins_the_scan_again) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    for (const auto at : {stage::documents, stage::images}) {
        mark known;
        known.source = "the source";
        known.at = at;
        known.cursor = "not a cursor of this engine";
        known.position = await(source->feed().last()).value();
        save_document(*target, std::string(mark_kind), "state", to_json(known));
        copier all(*source, *target, "the source", small_pages());
        require(copy_all(all));
        check_same(*source, *target);
    }
}

BOOST_AUTO_TEST_CASE(any_source_begins_the_pass_again_also_if_the_name_is_the_same) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    for (const bool any_source : {false, true}) {
        mark known;
        known.source = "the source";
        known.at = stage::surplus;
        save_document(*target, std::string(mark_kind), "state", to_json(known));
        copier all(*source, *target, "the source", small_pages());
        require(await(all.begin(any_source)));
        BOOST_TEST(bool(all.state().at == (any_source ? stage::documents : stage::surplus)));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
