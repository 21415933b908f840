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

BOOST_AUTO_TEST_CASE(every_run_compares_from_the_beginning) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    copier first(*source, *target, "the source", small_pages());
    require(copy_all(first));
    // In place of the source: a store that was restored from a copy of its files, and was written since. It
    // has the same identity, and the position of the interrupted run is one of its feed.
    for (const auto at : {stage::documents, stage::images, stage::surplus, stage::kept, stage::following}) {
        scratch_store restored("memory");
        save_document(*restored, std::string(identity_kind), "identity", identify(*source));
        fill(*restored, 40);
        auto known = await(find_mark(target->documents())).value()->value;
        known.at = at;
        save_document(*target, std::string(mark_kind), "state", to_json(known));
        copier again(*restored, *target, "the source", small_pages());
        require(copy_all(again));
        check_same(*restored, *target);
    }
}

BOOST_AUTO_TEST_CASE(a_page_that_was_interrupted_is_counted_once) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    auto options = small_pages();
    int questions = 0;
    options.is_stopping = [&questions] { return ++questions % 13 == 0 && questions < 100; };
    copier all(*source, *target, "the source", std::move(options));
    require(await(all.begin(false)));
    int interruptions = 0;
    while (!await(all.copy_all()).has_value())
        ++interruptions;
    BOOST_TEST(interruptions == 7);
    check_same(*source, *target);
    BOOST_TEST(all.done().images_done == await(source->images().usage(std::nullopt)).value().images.count);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
