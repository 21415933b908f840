// SPDX-License-Identifier: Apache-2.0
// Versions that were kept when an image was replaced or erased.
#include "store_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

using namespace gallery;
using namespace gallery::contract;

namespace {

constexpr std::int64_t kept_at = 1'790'000'000'123;

struct versions_fixture : store_fixture {
    static write_rules keeping(precondition condition = precondition::any(), std::int64_t time = kept_at) {
        return {condition, previous_version::keep(time)};
    }

    result<scan_page<kept_version>> kept(std::optional<tenant_id> tenant, kept_order order,
                                         std::string cursor, std::size_t limit) {
        return await(store().kept(tenant, order, std::move(cursor), limit));
    }
    result<kept_version> find_kept(const image_record& record) {
        return await(store().find_kept(record.id, record.content_rev));
    }
    result<write_outcome> drop(const image_record& record) {
        return await(store().drop_kept(record.id, record.content_rev));
    }
    result<write_outcome> save_kept(const image& what, std::int64_t time, bool is_erased) {
        return await(store().save_kept(what.record, bytes::own(what.original), bytes::own(what.preview), time,
                                       is_erased));
    }

    std::vector<kept_version> all_kept(std::optional<tenant_id> tenant, kept_order order,
                                       std::size_t limit = 3) {
        return all_pages<kept_version>(
            limit, [&](const std::string& cursor) { return kept(tenant, order, cursor, limit); });
    }
    std::vector<kept_version> all_kept_of(image_id id, std::size_t limit = 3) {
        return all_pages<kept_version>(
            limit, [&](const std::string& cursor) { return await(store().kept_of(id, cursor, limit)); });
    }

    /// The version is kept as @p record with these bytes, and no name leads to it.
    void expect_kept(const record_ptr& record, const image& wanted, revision kept_rev, bool is_erased) {
        const auto found = find_kept(*record);
        BOOST_REQUIRE_MESSAGE(found.has_value(), "find_kept: " << found.error().message);
        BOOST_TEST((*found->record == *record));
        BOOST_TEST(found->kept_rev == kept_rev);
        BOOST_TEST(found->kept_time == kept_at);
        BOOST_TEST(found->is_erased == is_erased);
        expect_bytes(found->record, wanted);
    }
    void expect_bytes(const record_ptr& record, const image& wanted) {
        const auto original = read(record, representation::original);
        BOOST_TEST((original.has_value() && *original == wanted.original));
        const auto preview = read(record, representation::preview);
        BOOST_TEST((preview.has_value() &&
                    *preview == (wanted.record.preview_is_original ? wanted.original : wanted.preview)));
    }
    template <class T>
    static bool failed_with(const result<T>& got, errc code) {
        return got.has_error() && got.error().code == code;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(versions, versions_fixture)

BOOST_AUTO_TEST_CASE(a_replaced_image_is_kept_with_its_record_and_bytes) {
    const auto first = make(tenant_number(1), "a", 70'000, 900);
    const auto saved = must_save(first);
    const auto second = with_bytes(first, 4'000, 10);
    const auto outcome = save(second, keeping(precondition::match(saved->rev)));
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
    BOOST_TEST(outcome->kept == saved->content_rev);
    expect_stored(second);
    expect_kept(saved, first, outcome->rev, false);
    reopen();
    expect_stored(second);
    expect_kept(saved, first, outcome->rev, false);
    BOOST_TEST(scan_all(std::nullopt, 5).size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_erased_image_is_kept_and_its_names_are_free) {
    const auto wanted = make(tenant_number(1), "a");
    const auto saved = must_save(wanted);
    const auto outcome = erase(tenant_number(1), "a", keeping());
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->kept == saved->content_rev);
    expect_absent(wanted);
    expect_kept(saved, wanted, outcome->rev, true);
    reopen();
    expect_absent(wanted);
    expect_kept(saved, wanted, outcome->rev, true);
    // Key, id and public key are free, and what takes them changes nothing of what was kept.
    const auto other = with_bytes(wanted, 333, 33);
    must_save(other, precondition::absent());
    expect_stored(other);
    expect_kept(saved, wanted, outcome->rev, true);
}

BOOST_AUTO_TEST_CASE(an_erased_image_is_brought_back_from_what_was_kept) {
    const auto wanted = make(tenant_number(1), "a", 50'000);
    const auto saved = must_save(wanted);
    BOOST_TEST(erase(tenant_number(1), "a", keeping())->status == write_status::committed);
    const auto version = find_kept(*saved);
    BOOST_TEST_REQUIRE(version.has_value());
    const auto original = await(store().read(version->record, representation::original));
    const auto preview = await(store().read(version->record, representation::preview));
    BOOST_TEST_REQUIRE((original.has_value() && preview.has_value()));
    const auto restored = await(store().save(*version->record, *original, *preview, precondition::absent()));
    BOOST_TEST_REQUIRE(restored.has_value());
    BOOST_TEST_REQUIRE(restored->status == write_status::committed);
    BOOST_TEST(drop(*saved)->status == write_status::committed);
    expect_stored(wanted);
    reopen();
    expect_stored(wanted);
}

BOOST_AUTO_TEST_CASE(what_is_kept_is_the_last_record_of_the_version) {
    const auto first = make(tenant_number(1), "a");
    must_save(first);
    auto renamed = first.record;
    renamed.title = "renamed before it was replaced";
    const auto updated = update(renamed);
    BOOST_TEST_REQUIRE(updated.has_value());
    BOOST_TEST(updated->kept == 0U);
    BOOST_TEST(all_kept(std::nullopt, kept_order::newest_first).empty());
    const auto outcome = save(with_bytes(first, 10, 10), keeping());
    BOOST_TEST_REQUIRE(outcome.has_value());
    expect_kept(updated->record, first, outcome->rev, false);
}

BOOST_AUTO_TEST_CASE(nothing_is_kept_where_nothing_was_or_where_it_was_not_asked_for) {
    const auto first = make(tenant_number(1), "a");
    const auto saved = save(first, keeping());
    BOOST_TEST_REQUIRE(saved.has_value());
    BOOST_TEST(saved->kept == 0U);
    const auto replaced = save(with_bytes(first, 10, 0));
    BOOST_TEST(replaced->kept == 0U);
    const auto lost = save(with_bytes(first, 11, 0), keeping(precondition::absent()));
    BOOST_TEST(lost->status == write_status::conflict);
    BOOST_TEST(lost->kept == 0U);
    BOOST_TEST(erase(tenant_number(1), "a", keeping(precondition::match(1)))->status ==
               write_status::conflict);
    BOOST_TEST(erase(tenant_number(1), "b", keeping())->status == write_status::absent);
    BOOST_TEST(erase(tenant_number(1), "a")->kept == 0U);
    BOOST_TEST(all_kept(std::nullopt, kept_order::newest_first).empty());
    BOOST_TEST(failed_with(read(saved->record, representation::original), errc::stale));
    BOOST_TEST(failed_with(find_kept(*saved->record), errc::not_found));
}

BOOST_AUTO_TEST_CASE(kept_versions_are_listed_in_the_order_of_the_writes_that_kept_them) {
    std::vector<revision> expected;          // kept_rev of all
    std::map<tenant_id, std::size_t> count;  // of each tenant
    std::vector<image> images;
    for (unsigned i = 0; i < 4; ++i) {
        images.push_back(make(tenant_number(i % 3), "k" + std::to_string(i), 100, 10));
        must_save(images.back());
    }
    for (unsigned step = 0; step < 14; ++step) {
        const auto n = number(images.size());
        const auto& key = images[n].record;
        const auto outcome = step % 5 == 4 ? erase(key.tenant, key.key, keeping())
                                           : save(with_bytes(images[n], 50 + step, 5), keeping());
        BOOST_TEST_REQUIRE(outcome.has_value());
        if (outcome->kept == 0) continue;
        expected.push_back(outcome->rev);
        ++count[key.tenant];
    }
    const auto check = [&] {
        for (const std::size_t limit : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
            const auto oldest = all_kept(std::nullopt, kept_order::oldest_first, limit);
            auto newest = all_kept(std::nullopt, kept_order::newest_first, limit);
            BOOST_TEST_REQUIRE(oldest.size() == expected.size());
            BOOST_TEST_REQUIRE(newest.size() == expected.size());
            std::reverse(newest.begin(), newest.end());
            for (std::size_t i = 0; i < expected.size(); ++i) {
                BOOST_TEST(oldest[i].kept_rev == expected[i]);
                BOOST_TEST(newest[i].kept_rev == expected[i]);
                BOOST_TEST(all_kept_of(oldest[i].record->id, limit).size() >= 1U);
            }
            for (unsigned t = 0; t < 3; ++t) {
                const auto own = all_kept(tenant_number(t), kept_order::oldest_first, limit);
                BOOST_TEST(own.size() == count[tenant_number(t)]);
                for (const auto& version : own)
                    BOOST_TEST((version.record->tenant == tenant_number(t)));
            }
            std::size_t by_image = 0;
            for (const auto& one : images) {
                const auto own = all_kept_of(one.record.id, limit);
                by_image += own.size();
                for (std::size_t i = 0; i < own.size(); ++i) {
                    BOOST_TEST((own[i].record->id == one.record.id));
                    if (i > 0) BOOST_TEST(own[i].kept_rev < own[i - 1].kept_rev);
                }
            }
            BOOST_TEST(by_image == expected.size());
        }
    };
    check();
    reopen();
    check();
    BOOST_TEST(all_kept(tenant_number(99), kept_order::newest_first).empty());
    BOOST_TEST(all_kept_of(image_id{random_id()}).empty());
}

BOOST_AUTO_TEST_CASE(a_dropped_version_is_gone_and_others_stay) {
    const auto first = make(tenant_number(1), "a", 40'000);
    const auto second = with_bytes(first, 50'000, 10);
    const auto third = with_bytes(first, 60'000, 20);
    const auto one = must_save(first);
    const auto two = save(second, keeping())->record;
    const auto last = save(third, keeping());
    const auto before = last_change();
    const auto dropped = drop(*one);
    BOOST_TEST_REQUIRE(dropped.has_value());
    BOOST_TEST(dropped->status == write_status::committed);
    BOOST_TEST(dropped->rev > before);
    BOOST_TEST(failed_with(find_kept(*one), errc::not_found));
    BOOST_TEST(failed_with(read(one, representation::original), errc::stale));
    BOOST_TEST(failed_with(read(one, representation::preview), errc::stale));
    expect_kept(two, second, last->rev, false);
    expect_stored(third);
    reopen();
    BOOST_TEST(failed_with(find_kept(*one), errc::not_found));
    expect_kept(two, second, last->rev, false);
    // A second time, the current version, and one that never was.
    const auto end = last_change();
    BOOST_TEST(drop(*one)->status == write_status::absent);
    BOOST_TEST(drop(*last->record)->status == write_status::absent);
    BOOST_TEST(await(store().drop_kept(first.record.id, 1'000'000))->status == write_status::absent);
    BOOST_TEST(await(store().drop_kept(image_id{random_id()}, two->content_rev))->status ==
               write_status::absent);
    BOOST_TEST(last_change() == end);
    expect_stored(third);
}

BOOST_AUTO_TEST_CASE(a_body_that_was_handed_out_stays_readable_after_its_version_is_dropped) {
    for (const std::size_t size : {500U, 300'000U}) {
        const auto first = make(tenant_number(1), "a", size);
        const auto saved = must_save(first);
        BOOST_TEST(erase(tenant_number(1), "a", keeping())->status == write_status::committed);
        const auto held = await(store().read(saved, representation::original));
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(drop(*saved)->status == write_status::committed);
        must_save(make(tenant_number(1), "b", size));
        const auto loaded = held->load();
        BOOST_TEST((loaded.has_value() && loaded->view() == std::string_view(first.original)));
    }
}

BOOST_AUTO_TEST_CASE(a_version_stored_as_kept_is_the_newest_and_reserves_nothing) {
    const auto current = make(tenant_number(1), "a");
    must_save(current);
    auto old = with_bytes(current, 900, 90);  // with the same key, id and public key
    old.record.title = "an older title";
    const auto outcome = save_kept(old, kept_at, true);
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
    BOOST_TEST(outcome->kept == outcome->rev);
    BOOST_TEST_REQUIRE((outcome->record != nullptr));
    BOOST_TEST(outcome->record->rev == outcome->rev);
    BOOST_TEST(outcome->record->content_rev == outcome->rev);
    BOOST_TEST(same_but_revisions(*outcome->record, old.record));
    expect_kept(outcome->record, old, outcome->rev, true);
    expect_stored(current);
    const auto feed_end = changes_after(outcome->rev - 1);
    BOOST_TEST_REQUIRE(feed_end.size() == 1U);
    BOOST_TEST((feed_end[0].what == change::kind::version_kept));
    reopen();
    expect_kept(outcome->record, old, outcome->rev, true);
    expect_stored(current);
    auto wrong = old;
    wrong.record.original.size += 1;
    BOOST_TEST(failed_with(save_kept(wrong, kept_at, false), errc::invalid_argument));
    BOOST_TEST(all_kept(std::nullopt, kept_order::newest_first).size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_feed_says_what_was_kept_and_dropped) {
    const auto first = make(tenant_number(1), "a");
    const auto begin = last_change();
    const auto one = must_save(first);
    const auto two = save(with_bytes(first, 20, 2), keeping()).value();
    const auto gone = erase(tenant_number(1), "a", keeping()).value();
    const auto dropped = drop(*one).value();
    const auto check = [&] {
        const auto all = changes_after(begin, 2);
        BOOST_TEST_REQUIRE(all.size() == 4U);
        const std::vector<std::pair<change::kind, revision>> expected = {
            {change::kind::image_saved, 0},
            {change::kind::image_saved, one->content_rev},
            {change::kind::image_erased, two.rev},
            {change::kind::version_dropped, one->content_rev}};
        const std::vector<revision> revisions = {one->rev, two.rev, gone.rev, dropped.rev};
        for (std::size_t i = 0; i < all.size(); ++i) {
            BOOST_TEST((all[i].what == expected[i].first));
            BOOST_TEST(all[i].kept == expected[i].second);
            BOOST_TEST(all[i].rev == revisions[i]);
            BOOST_TEST((all[i].tenant == tenant_number(1)));
            BOOST_TEST(all[i].key == "a");
            BOOST_TEST((all[i].id == first.record.id));
            BOOST_TEST(all[i].public_key == first.record.public_key);
        }
    };
    check();
    reopen();
    check();
}

BOOST_AUTO_TEST_CASE(limits_of_0_and_foreign_cursors_are_refused) {
    const auto first = make(tenant_number(1), "a");
    must_save(first);
    save(with_bytes(first, 20, 2), keeping()).value();
    save(with_bytes(first, 21, 2), keeping()).value();
    BOOST_TEST(failed_with(kept(std::nullopt, kept_order::newest_first, "", 0), errc::invalid_argument));
    BOOST_TEST(failed_with(await(store().kept_of(first.record.id, "", 0)), errc::invalid_argument));
    for (const auto* cursor : {"x", "kept:", "kept:x", "0", "\xff"}) {
        BOOST_TEST(
            failed_with(kept(std::nullopt, kept_order::newest_first, cursor, 5), errc::invalid_argument));
        BOOST_TEST(failed_with(await(store().kept_of(first.record.id, cursor, 5)), errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(a_version_is_read_while_it_is_dropped) {
    // Small ones that lie in caches, large ones that are files: the bytes, or stale.
    std::atomic<unsigned> wrong = 0;
    std::atomic<unsigned> read_whole = 0;
    for (unsigned round = 0; round < 12; ++round) {
        const auto what = make(tenant_number(1), "a", round % 2 == 0 ? 800 : 200'000, 100);
        const auto saved = must_save(what);
        BOOST_TEST_REQUIRE(erase(tenant_number(1), "a", keeping())->status == write_status::committed);
        if (round % 3 == 0) reopen();
        std::vector<std::jthread> readers;
        std::atomic<bool> begun = false;
        for (unsigned i = 0; i < 6; ++i)
            readers.emplace_back([&, i] {
                const auto which = i % 2 == 0 ? representation::original : representation::preview;
                for (unsigned n = 0; n < 20; ++n) {
                    const auto got = read(saved, which);
                    begun = true;
                    if (!got) {
                        if (got.error().code != errc::stale) ++wrong;
                        return;
                    }
                    if (*got != (i % 2 == 0 ? what.original : what.preview)) ++wrong;
                    ++read_whole;
                }
            });
        while (!begun)
            std::this_thread::yield();
        const auto dropped = drop(*saved);
        readers.clear();
        BOOST_TEST_REQUIRE(dropped.has_value());
        BOOST_TEST(dropped->status == write_status::committed);
        BOOST_TEST(failed_with(read(saved, representation::original), errc::stale));
    }
    BOOST_TEST(wrong == 0U);
    BOOST_TEST(read_whole > 0U);
}

BOOST_AUTO_TEST_CASE(of_many_who_drop_one_version_one_succeeds) {
    const auto saved = must_save(make(tenant_number(1), "a"));
    BOOST_TEST_REQUIRE(erase(tenant_number(1), "a", keeping()).has_value());
    std::atomic<unsigned> committed = 0;
    std::atomic<unsigned> absent = 0;
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                const auto dropped = drop(*saved);
                if (!dropped) return;
                ++(dropped->status == write_status::committed ? committed : absent);
            });
    }
    BOOST_TEST(committed == 1U);
    BOOST_TEST(absent == 7U);
}

BOOST_AUTO_TEST_SUITE_END()
