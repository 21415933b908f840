// SPDX-License-Identifier: Apache-2.0
// A copy is equal to its source, between all engines.
#include "stores.hpp"

#include <string>
#include <utility>
#include <vector>

namespace gallery::mirror::test {

BOOST_AUTO_TEST_SUITE(copies)

BOOST_AUTO_TEST_CASE(a_copy_contains_what_its_source_contains_in_every_engine) {
    for (const char* from : {"memory", "filesystem", "rocksdb"}) {
        for (const char* to : {"memory", "filesystem", "rocksdb"}) {
            BOOST_TEST_CONTEXT(from << " to " << to) {
                scratch_store source(from);
                scratch_store target(to);
                fill(*source);
                const auto before = await(source->feed().last()).value();
                copier all(*source, *target, "the source", small_pages());
                require(copy_all(all));
                check_same(*source, *target);
                BOOST_TEST(await(source->feed().last()).value() == before);  // the source was only read
                BOOST_TEST(all.position() == before);

                // Not only by the comparison of this library.
                const auto page = await(source->images().scan(std::nullopt, "", 1'000)).value();
                BOOST_TEST(page.items.size() == all.done().images_copied);
                for (const auto& record : page.items) {
                    auto there = *await(target->images().find(record->tenant, record->key)).value();
                    for (const auto which : {representation::original, representation::preview}) {
                        const auto a = await(source->images().read(record, which)).value().load();
                        const auto b =
                            await(target->images().read(std::make_shared<const image_record>(there), which))
                                .value()
                                .load();
                        BOOST_TEST(bool(a->view() == b->view()));
                    }
                    there.rev = record->rev;
                    there.content_rev = record->content_rev;
                    BOOST_TEST(bool(there == *record));
                }
                const auto kept = all_kept(*source);
                const auto copied = all_kept(*target);
                BOOST_REQUIRE(kept.size() == copied.size());
                BOOST_TEST(kept.size() > 5U);
                for (std::size_t i = 0; i < kept.size(); ++i) {
                    BOOST_TEST(kept[i].record->key == copied[i].record->key);
                    BOOST_TEST(kept[i].kept_time == copied[i].kept_time);
                    BOOST_TEST(kept[i].is_erased == copied[i].is_erased);
                }
                BOOST_TEST(bool(await(source->images().usage(std::nullopt)).value() ==
                                await(target->images().usage(std::nullopt)).value()));
                BOOST_TEST(await(target->check()).value().problems.empty());
                // Of a running server.
                BOOST_TEST(await(target->documents().find("node", "of-a-server")).has_error());
                BOOST_TEST(await(target->documents().find("lease", "upkeep")).has_error());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_second_copy_compares_and_writes_nothing) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    copier first(*source, *target, "the source", small_pages());
    require(copy_all(first));
    copier second(*source, *target, "the source", small_pages());
    require(copy_all(second));
    BOOST_TEST(second.done().writes() == 0U);
    BOOST_TEST(second.done().images_done == await(source->images().usage(std::nullopt)).value().images.count);
}

BOOST_AUTO_TEST_CASE(a_comparing_pass_repairs_every_kind_of_difference) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    copier first(*source, *target, "the source", small_pages());
    require(copy_all(first));
    // A copy that somebody has written to.
    erase(*target, tenant(1), "key-1");
    save(*target, make_picture(tenant(2), "key-2", "not of the source"));
    save(*target, make_picture(tenant(2), "only here", "not of the source, either"));
    auto renamed = *await(target->images().find(tenant(2), "key-5")).value();
    renamed.title = "Another";
    BOOST_REQUIRE(await(target->images().update(renamed, precondition::any())).has_value());
    save_document(*target, "user", "id-2", "changed");
    save_document(*target, "user", "only-here", "{}");
    BOOST_REQUIRE(await(target->documents().erase("tenant", "id-3", precondition::any())).has_value());
    const auto kept = all_kept(*target);
    BOOST_REQUIRE(kept.size() > 3U);
    BOOST_REQUIRE(
        await(target->images().drop_kept(kept[2].record->id, kept[2].record->content_rev)).has_value());
    BOOST_TEST(differences(*source, *target).size() == 8U);

    copier again(*source, *target, "the source", small_pages());
    require(copy_all(again));
    check_same(*source, *target);
    const auto repaired = all_kept(*target);
    const auto wanted = all_kept(*source);
    BOOST_REQUIRE(repaired.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i)
        BOOST_TEST(repaired[i].record->key == wanted[i].record->key);
}

BOOST_AUTO_TEST_CASE(ids_and_public_keys_that_have_moved_to_other_images_move_in_the_copy) {
    for (const char* engine : {"memory", "filesystem", "rocksdb"}) {
        BOOST_TEST_CONTEXT(engine) {
            scratch_store source("memory");
            scratch_store target(engine);
            auto a = make_picture(tenant(1), "a", "first");
            auto b = make_picture(tenant(1), "b", "second");
            auto c = make_picture(tenant(2), "c", "third");
            identify(*source);
            for (const auto* one : {&a, &b, &c})
                save(*source, *one);
            copier all(*source, *target, "the source", small_pages());
            require(copy_all(all));
            for (const auto* one : {&a, &b, &c})
                erase(*source, one->record.tenant, one->record.key);
            std::swap(a.record.public_key, b.record.public_key);
            std::swap(b.record.id, c.record.id);
            for (const auto* one : {&a, &b, &c})
                save(*source, *one);
            require(copy_all(all));
            check_same(*source, *target);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_body_that_is_larger_than_the_memory_is_copied) {
    scratch_store source("memory");
    scratch_store target("memory");
    for (int i = 0; i < 6; ++i) {
        save(*source, make_picture(tenant(1), "key-" + std::to_string(i), "picture " + std::to_string(i),
                                   std::size_t{200'000}));
    }
    auto options = small_pages();
    options.memory = 150'000;
    copier all(*source, *target, "the source", std::move(options));
    require(copy_all(all));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
