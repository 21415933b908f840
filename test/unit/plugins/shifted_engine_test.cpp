// SPDX-License-Identifier: Apache-2.0
// Revisions of one store that cannot be taken for those of another.
#include "plugins/shifted_engine.hpp"

#include "memory/memory_store.hpp"
#include "pictures.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace gallery::plugins::test {

namespace {

constexpr revision base = 1'000'000;

/// The same store with and without the shift.
struct two_views {
    std::unique_ptr<storage_engine> own = make_memory_engine();
    shifted_engine shifted{*own, base};
    image_store& images = shifted.images();

    /// Equal but for the revisions, which are shifted.
    void check_shifted(const record_ptr& theirs, const record_ptr& ours) {
        BOOST_REQUIRE(theirs != nullptr);
        image_record expected = *ours;
        expected.rev += base;
        expected.content_rev += base;
        BOOST_TEST((*theirs == expected));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(shifted, two_views)

BOOST_AUTO_TEST_CASE(every_record_that_leaves_the_engine_is_shifted) {
    save(*own, "a.png", "first");
    const auto ours = save(*own, "a.png", "second");
    check_shifted(await(images.find(some_tenant(), "a.png")).value(), ours);
    check_shifted(await(images.find_by_id(ours->id)).value(), ours);
    check_shifted(await(images.find_by_public_key(ours->public_key)).value(), ours);
    check_shifted(await(images.find_by_content(some_tenant(), ours->original.etag)).value().at(0), ours);
    check_shifted(images.find_now(some_tenant(), "a.png").value(), ours);
    check_shifted(images.find_by_public_key_now(ours->public_key).value(), ours);
    image_query query;
    query.tenant = some_tenant();
    const auto page = await(images.list(query)).value();
    BOOST_TEST(page.total == 1U);
    check_shifted(page.images.at(0), ours);
    check_shifted(await(images.scan(std::nullopt, "", 10)).value().items.at(0), ours);
    check_shifted(await(images.scan_readable("", 10)).value().page.items.at(0), ours);
    BOOST_TEST(
        (await(images.usage(some_tenant())).value() == await(own->images().usage(some_tenant())).value()));
    BOOST_TEST((await(images.find(some_tenant(), "b.png")).error().code == errc::not_found));
    BOOST_TEST(!images.find_now(some_tenant(), "b.png").has_value());
}

BOOST_AUTO_TEST_CASE(bytes_are_read_for_shifted_records_and_for_no_others) {
    const auto ours = save(*own, "a.png", "text");
    const auto theirs = find(shifted, "a.png");
    BOOST_TEST(text_of(shifted, theirs) == "text");
    BOOST_TEST(images.read_now(*theirs, representation::original)->load()->view() == "text");
    // A copy, as callers make them.
    const image_record copy = *theirs;
    BOOST_TEST(images.read_now(copy, representation::original)->load()->view() == "text");
    BOOST_TEST(text_of(shifted, std::make_shared<image_record>(copy)) == "text");
    BOOST_TEST(await(images.check_body(theirs, representation::original)).has_value());
    BOOST_TEST(await(images.read_aside(theirs, representation::original)).value().load()->view() == "text");
    // Of another store that had the same id and the same number.
    BOOST_TEST(text_of(shifted, ours) == "error: stale");
    BOOST_TEST((await(images.check_body(ours, representation::original)).error().code == errc::stale));
    BOOST_TEST((await(images.read_aside(ours, representation::original)).error().code == errc::stale));
    BOOST_TEST(!images.read_now(*ours, representation::original).has_value());
}

BOOST_AUTO_TEST_CASE(writes_return_shifted_revisions) {
    const auto saved = try_save(shifted, described("a.png", "text"), "text");
    BOOST_REQUIRE(saved.has_value());
    check_shifted(saved->record, find(*own, "a.png"));
    BOOST_TEST(saved->rev == saved->record->rev);
    BOOST_TEST(saved->kept == 0U);

    image_record renamed = *saved->record;
    renamed.title = "other";
    const auto updated = await(images.update(renamed, precondition::match(saved->rev))).value();
    BOOST_TEST(bool(updated.status == write_status::committed));
    check_shifted(updated.record, find(*own, "a.png"));
    BOOST_TEST(updated.record->title == "other");

    const write_rules keeps(precondition::match(updated.rev), previous_version::keep(5));
    const auto erased = await(images.erase(some_tenant(), "a.png", keeps)).value();
    BOOST_TEST(bool(erased.status == write_status::committed));
    BOOST_TEST(erased.kept == saved->record->content_rev);
    BOOST_TEST((await(own->images().find(some_tenant(), "a.png")).error().code == errc::not_found));

    const auto kept = await(images.find_kept(renamed.id, erased.kept)).value();
    BOOST_TEST(kept.kept_rev == erased.rev);
    BOOST_TEST(text_of(shifted, kept.record) == "text");
    BOOST_TEST((await(images.find_kept(renamed.id, erased.kept - base)).error().code == errc::not_found));

    const auto again =
        await(images.save_kept(described("b.png", "kept"), bytes::own("kept"), body(), 6, true));
    BOOST_TEST(again->kept == again->record->content_rev);
    BOOST_TEST(again->kept > base);
    BOOST_TEST(
        bool(await(images.drop_kept(again->record->id, again->kept - base))->status == write_status::absent));
    BOOST_TEST(
        bool(await(images.drop_kept(again->record->id, again->kept))->status == write_status::committed));
}

BOOST_AUTO_TEST_CASE(a_condition_of_another_store_does_not_hold) {
    const auto ours = save(*own, "a.png", "text");
    const auto theirs = find(shifted, "a.png");
    for (const revision old : {ours->rev, base, base + ours->rev + 1, revision{0}}) {
        const auto saved = try_save(shifted, *theirs, "text", precondition::match(old));
        BOOST_TEST(bool(saved->status == write_status::conflict));
        // The current record, so that the write can be repeated.
        check_shifted(saved->record, ours);
        BOOST_TEST(saved->rev == theirs->rev);
        const auto updated = await(images.update(*theirs, precondition::match(old)));
        BOOST_TEST(bool(updated->status == write_status::conflict));
        check_shifted(updated->record, ours);
        const auto erased = await(images.erase(some_tenant(), "a.png", precondition::match(old)));
        BOOST_TEST(bool(erased->status == write_status::conflict));
    }
    BOOST_TEST((*find(*own, "a.png") == *ours));
    // Of an image that is not there.
    const auto missing = described("b.png", "text");
    BOOST_TEST(bool(await(images.update(missing, precondition::match(7)))->status == write_status::absent));
    BOOST_TEST(bool(await(images.erase(some_tenant(), "b.png", precondition::match(7)))->status ==
                    write_status::absent));
    const auto lost = try_save(shifted, missing, "text", precondition::match(base + 7));
    BOOST_TEST(bool(lost->status == write_status::conflict));
    BOOST_TEST(lost->record == nullptr);
    BOOST_TEST(lost->rev == 0U);
}

BOOST_AUTO_TEST_CASE(other_conditions_hold_as_they_do_without_a_shift) {
    BOOST_TEST(bool(try_save(shifted, described("a.png", "1"), "1", precondition::present())->status ==
                    write_status::conflict));
    BOOST_TEST(bool(try_save(shifted, described("a.png", "1"), "1", precondition::absent())->status ==
                    write_status::committed));
    BOOST_TEST(bool(try_save(shifted, *find(shifted, "a.png"), "1", precondition::absent())->status ==
                    write_status::conflict));
    BOOST_TEST(bool(try_save(shifted, *find(shifted, "a.png"), "1", precondition::present())->status ==
                    write_status::committed));
    BOOST_TEST(bool(try_save(shifted, *find(shifted, "a.png"), "1", precondition::any())->status ==
                    write_status::committed));
    const auto current = find(shifted, "a.png")->rev;
    BOOST_TEST(bool(try_save(shifted, *find(shifted, "a.png"), "1", precondition::match(current))->status ==
                    write_status::committed));
    const usage_limit none{0, 0};
    const write_rules limited(precondition::any(), previous_version::drop(), none);
    BOOST_TEST(
        bool(try_save(shifted, described("b.png", "1"), "1", limited)->status == write_status::over_limit));
}

BOOST_AUTO_TEST_CASE(documents_are_shifted_in_every_part) {
    auto& documents = shifted.documents();
    const auto first = save_document(shifted, "a", "1", precondition::absent());
    BOOST_TEST(first > base);
    BOOST_TEST(await(documents.find("user", "a"))->rev == first);
    BOOST_TEST(await(own->documents().find("user", "a"))->rev == first - base);
    BOOST_TEST(await(documents.scan("user", "", 10))->items.at(0).rev == first);
    // The number of another store, which is also that of the engine.
    BOOST_TEST(save_document(shifted, "a", "2", precondition::match(first - base)) == 0U);
    const auto second = save_document(shifted, "b", "1");
    std::vector<document_write> parts;
    parts.push_back(document_write::save({"user", "a", "3", 0}, precondition::match(first)));
    parts.push_back(document_write::require("user", "b", precondition::match(second - base)));
    const auto refused = await(documents.write(parts)).value();
    BOOST_TEST(bool(refused.status == write_status::conflict));
    BOOST_TEST(refused.failed == 1U);
    BOOST_TEST(refused.current == second);
    BOOST_TEST(await(documents.find("user", "a"))->body == "1");
    parts[1].condition = precondition::match(second);
    const auto written = await(documents.write(parts)).value();
    BOOST_TEST(bool(written.status == write_status::committed));
    BOOST_TEST(written.revs.at(0) > second);
    BOOST_TEST(written.revs.at(1) == second);
    const auto gone = await(documents.erase("user", "nothing", precondition::match(first))).value();
    BOOST_TEST(bool(gone.status == write_status::absent));
    BOOST_TEST((await(documents.find("user", "nothing")).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(scans_go_on_with_their_own_cursors_and_with_no_others) {
    for (const char* key : {"a.png", "b.png", "c.png"}) {
        save(*own, key, key);
        save_document(*own, std::string(1, key[0]), "{}");
        await(own->images().erase(some_tenant(), key, {precondition::any(), previous_version::keep(1)}))
            .value();
        save(*own, key, key);
    }
    const auto check = [](const auto& scan, const auto& scan_of_engine) {
        std::size_t count = 0;
        std::string cursor;
        do {
            auto page = scan(cursor).value();
            count += page.items.size();
            cursor = page.cursor;
        } while (!cursor.empty());
        BOOST_TEST(count == 3U);
        const auto own_cursor = scan_of_engine("").value().cursor;
        BOOST_REQUIRE(!own_cursor.empty());
        BOOST_TEST(bool(scan(own_cursor).error().code == errc::stale));
    };
    const std::optional<tenant_id> everybody;
    for (auto* store : {static_cast<storage_engine*>(&shifted)}) {
        check([&](const std::string& c) { return await(store->images().scan(everybody, c, 1)); },
              [&](const std::string& c) { return await(own->images().scan(everybody, c, 1)); });
        check(
            [&](const std::string& c) {
                return await(store->images().kept(everybody, kept_order::oldest_first, c, 1));
            },
            [&](const std::string& c) {
                return await(own->images().kept(everybody, kept_order::oldest_first, c, 1));
            });
        check([&](const std::string& c) { return await(store->documents().scan("user", c, 1)); },
              [&](const std::string& c) { return await(own->documents().scan("user", c, 1)); });
    }
    const auto id =
        await(own->images().kept(everybody, kept_order::oldest_first, "", 1))->items.at(0).record->id;
    BOOST_TEST(await(images.kept_of(id, "", 10))->items.at(0).kept_rev > base);
    BOOST_TEST(bool(await(images.kept_of(id, "x", 10)).error().code == errc::stale));
}

BOOST_AUTO_TEST_CASE(changes_are_shifted_and_a_position_of_another_store_is_a_gap) {
    const auto saved = save(shifted, "a.png", "text");
    await(images.erase(some_tenant(), "a.png", {precondition::any(), previous_version::keep(1)})).value();
    auto& feed = shifted.feed();
    const auto last = await(feed.last()).value();
    BOOST_TEST(last == saved->rev + 1);
    const auto all = await(feed.changes(base, 10)).value();
    BOOST_TEST(!all.gap);
    BOOST_REQUIRE(all.changes.size() == 2U);
    BOOST_TEST(all.changes[0].rev == saved->rev);
    BOOST_TEST(all.changes[1].kept == saved->content_rev);
    BOOST_TEST(all.next == last);
    BOOST_TEST(await(feed.changes(last, 10))->changes.empty());
    BOOST_TEST(await(feed.changes(last, 10))->next == last);

    const auto lost = await(feed.changes(7, 10)).value();
    BOOST_TEST(lost.gap);
    BOOST_TEST(lost.changes.empty());
    BOOST_TEST(lost.next == last);
    BOOST_TEST(bool(lost.horizon != std::chrono::steady_clock::time_point::min()));
    BOOST_TEST(!await(feed.changes(lost.next, 10))->gap);
    BOOST_TEST(await(feed.changes(7, 0)).has_error());
}

BOOST_AUTO_TEST_CASE(a_record_is_copied_once_and_replaced_with_the_engines) {
    save(*own, "a.png", "text");
    const auto first = images.find_now(some_tenant(), "a.png").value();
    BOOST_TEST(images.find_now(some_tenant(), "a.png").value() == first);
    const auto next = save(shifted, "a.png", "other");
    BOOST_TEST((*images.find_now(some_tenant(), "a.png").value() == *next));
    BOOST_TEST(text_of(shifted, first) == "error: stale");
}

BOOST_AUTO_TEST_CASE(many_threads_see_each_record_as_it_is) {
    constexpr int keys = 300;  // more than are kept
    for (int i = 0; i < keys; ++i)
        save(*own, "k" + std::to_string(i), std::to_string(i));
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int round = 0; round < 3; ++round) {
                for (int i = 0; i < keys; ++i) {
                    const auto found = images.find_now(some_tenant(), "k" + std::to_string(i));
                    if (!found || (*found)->rev <= base) {
                        ++wrong;
                        continue;
                    }
                    const auto content = images.read_now(**found, representation::original);
                    if (!content || content->load()->view() != std::to_string(i)) ++wrong;
                }
            }
        });
    }
    for (auto& each : threads)
        each.join();
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins::test
