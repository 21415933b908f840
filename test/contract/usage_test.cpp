// SPDX-License-Identifier: Apache-2.0
// What a tenant uses, and limits of it.
#include "store_fixture.hpp"

#include <latch>
#include <map>
#include <mutex>
#include <thread>

using namespace gallery;
using namespace gallery::contract;

namespace {

struct usage_fixture : store_fixture {
    tenant_usage usage(std::optional<tenant_id> tenant) {
        const auto used = await(store().usage(tenant));
        BOOST_REQUIRE_MESSAGE(used.has_value(), "usage: " << used.error().message);
        return *used;
    }
    static usage_figures of(const image& what) {
        return {1, what.original.size(), what.record.preview_is_original ? 0 : what.preview.size()};
    }
    static usage_figures sum(usage_figures a, const usage_figures& b) {
        a.count += b.count;
        a.original_bytes += b.original_bytes;
        a.preview_bytes += b.preview_bytes;
        return a;
    }
    static write_rules limited(std::uint64_t images, std::uint64_t bytes,
                               precondition condition = precondition::any()) {
        return {condition, previous_version::drop(), usage_limit{images, bytes}};
    }
    /// What scanning everything says that the usage is.
    tenant_usage counted(std::optional<tenant_id> tenant) {
        const auto figures = [](const image_record& record) {
            return usage_figures{1, record.original.size,
                                 record.preview_is_original ? 0 : record.preview.size};
        };
        tenant_usage all;
        for (const auto& record : scan_all(tenant, 50))
            all.images = sum(all.images, figures(*record));
        std::string cursor;
        do {
            const auto page = await(store().kept(tenant, kept_order::oldest_first, cursor, 50));
            BOOST_TEST_REQUIRE(page.has_value());
            for (const auto& version : page->items)
                all.kept = sum(all.kept, figures(*version.record));
            cursor = page->cursor;
        } while (!cursor.empty());
        return all;
    }
    void expect_exact() {
        BOOST_TEST((usage(std::nullopt) == counted(std::nullopt)));
        for (unsigned t = 0; t < 4; ++t)
            BOOST_TEST((usage(tenant_number(t)) == counted(tenant_number(t))));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(usages, usage_fixture)

BOOST_AUTO_TEST_CASE(usage_follows_each_kind_of_write) {
    BOOST_TEST((usage(std::nullopt) == tenant_usage{}));
    BOOST_TEST((usage(tenant_number(1)) == tenant_usage{}));
    const auto first = make(tenant_number(1), "a", 1'000, 100);
    auto plain = make(tenant_number(2), "b", 70, 0);
    plain.record.preview_is_original = true;
    plain.record.preview = plain.record.original;
    must_save(first);
    must_save(plain);
    BOOST_TEST((usage(tenant_number(1)) == tenant_usage{{1, 1'000, 100}, {}}));
    BOOST_TEST((usage(tenant_number(2)) == tenant_usage{{1, 70, 0}, {}}));
    BOOST_TEST((usage(std::nullopt) == tenant_usage{{2, 1'070, 100}, {}}));

    const auto second = with_bytes(first, 300, 30);
    save(second, {precondition::any(), previous_version::keep(5)}).value();
    BOOST_TEST((usage(tenant_number(1)) == tenant_usage{{1, 300, 30}, {1, 1'000, 100}}));
    const auto third = with_bytes(first, 200, 20);
    must_save(third);
    BOOST_TEST((usage(tenant_number(1)) == tenant_usage{{1, 200, 20}, {1, 1'000, 100}}));
    update(third.record).value();
    BOOST_TEST((usage(tenant_number(1)) == tenant_usage{{1, 200, 20}, {1, 1'000, 100}}));
    erase(tenant_number(1), "a", {precondition::any(), previous_version::keep(6)}).value();
    BOOST_TEST((usage(tenant_number(1)) == tenant_usage{{}, {2, 1'200, 120}}));
    reopen();
    BOOST_TEST((usage(tenant_number(1)) == tenant_usage{{}, {2, 1'200, 120}}));
    BOOST_TEST((usage(tenant_number(2)) == tenant_usage{{1, 70, 0}, {}}));

    const auto kept = await(store().kept(tenant_number(1), kept_order::oldest_first, "", 10));
    BOOST_TEST_REQUIRE((kept.has_value() && kept->items.size() == 2U));
    for (const auto& version : kept->items)
        await(store().drop_kept(version.record->id, version.record->content_rev)).value();
    BOOST_TEST((usage(tenant_number(1)) == tenant_usage{}));
    await(store().save_kept(first.record, bytes::own(first.original), bytes::own(first.preview), 1, true))
        .value();
    BOOST_TEST((usage(tenant_number(1)) == tenant_usage{{}, {1, 1'000, 100}}));
    erase(tenant_number(2), "b").value();
    BOOST_TEST((usage(std::nullopt) == tenant_usage{{}, {1, 1'000, 100}}));
    reopen();
    expect_exact();
}

BOOST_AUTO_TEST_CASE(a_save_that_would_pass_a_limit_changes_nothing) {
    const auto a = make(tenant_number(1), "a", 600, 10);
    const auto b = make(tenant_number(1), "b", 400, 10);
    BOOST_TEST(save(a, limited(2, 1'000))->status == write_status::committed);
    BOOST_TEST(save(b, limited(2, 1'000))->status == write_status::committed);  // reaches both, passes none
    const auto before = last_change();
    const auto c = make(tenant_number(1), "c", 1, 0);
    for (const auto& rules : {limited(2, usage_limit::unlimited), limited(usage_limit::unlimited, 1'000)}) {
        const auto refused = save(c, rules);
        BOOST_TEST_REQUIRE(refused.has_value());
        BOOST_TEST(refused->status == write_status::over_limit);
        BOOST_TEST(refused->rev == 0U);
        BOOST_TEST((refused->record == nullptr));
    }
    const auto grown = save(with_bytes(b, 401, 10), limited(2, 1'000));
    BOOST_TEST(grown->status == write_status::over_limit);
    BOOST_TEST_REQUIRE((grown->record != nullptr));
    BOOST_TEST(grown->record->key == "b");
    BOOST_TEST(grown->rev == grown->record->rev);
    BOOST_TEST(last_change() == before);
    expect_absent(c);
    expect_stored(b);
    // Another tenant is not concerned, and neither are previews.
    BOOST_TEST(save(make(tenant_number(2), "c", 1'000, 5'000), limited(1, 1'000))->status ==
               write_status::committed);
}

BOOST_AUTO_TEST_CASE(a_save_that_raises_nothing_is_allowed_above_the_limit) {
    const auto a = make(tenant_number(1), "a", 600, 10);
    const auto b = make(tenant_number(1), "b", 400, 10);
    must_save(a);
    must_save(b);
    BOOST_TEST(save(with_bytes(a, 600, 900), limited(1, 10))->status == write_status::committed);
    BOOST_TEST(save(with_bytes(a, 500, 900), limited(1, 10))->status == write_status::committed);
    BOOST_TEST(save(with_bytes(a, 501, 900), limited(1, 10))->status == write_status::over_limit);
    expect_exact();
}

BOOST_AUTO_TEST_CASE(a_limit_is_judged_after_everything_else) {
    const auto a = make(tenant_number(1), "a");
    const auto saved = must_save(a);
    auto wrong = make(tenant_number(1), "b");
    const auto rules = limited(0, 0);
    BOOST_TEST(save(wrong, limited(0, 0, precondition::present()))->status == write_status::conflict);
    wrong.record.public_key = a.record.public_key;
    BOOST_TEST(save(wrong, rules)->status == write_status::public_key_taken);
    wrong.record.id = a.record.id;
    const auto same_id = save(wrong, rules);
    BOOST_TEST((same_id.has_error() && same_id.error().code == errc::invalid_argument));
    BOOST_TEST(last_change() == saved->rev);
}

BOOST_AUTO_TEST_CASE(no_number_of_writers_passes_a_limit) {
    constexpr unsigned writer_count = 16;
    constexpr std::uint64_t limit = 25;
    std::vector<image> images;
    for (unsigned i = 0; i < writer_count * 4; ++i)
        images.push_back(make(tenant_number(1), "k" + std::to_string(i), 10, 5));
    std::atomic<unsigned> committed = 0;
    std::atomic<unsigned> refused = 0;
    {
        std::latch start(writer_count);
        std::vector<std::jthread> threads;
        for (unsigned w = 0; w < writer_count; ++w)
            threads.emplace_back([&, w] {
                start.arrive_and_wait();
                for (std::size_t i = w; i < images.size(); i += writer_count) {
                    // By number and by bytes, which allow the same.
                    const auto outcome =
                        save(images[i], w % 2 == 0 ? limited(limit, usage_limit::unlimited)
                                                   : limited(usage_limit::unlimited, 10 * limit + 9));
                    if (!outcome) return;
                    if (outcome->status == write_status::committed) ++committed;
                    if (outcome->status == write_status::over_limit) ++refused;
                }
            });
    }
    BOOST_TEST(committed == limit);
    BOOST_TEST(refused == images.size() - limit);
    BOOST_TEST(usage(tenant_number(1)).images.count == limit);
    expect_exact();
    // Room that is made can be used.
    BOOST_TEST(erase(tenant_number(1), scan_all(tenant_number(1), 1).front()->key)->status ==
               write_status::committed);
    BOOST_TEST(save(make(tenant_number(1), "more", 10, 5), limited(limit, 10 * limit))->status ==
               write_status::committed);
}

BOOST_AUTO_TEST_CASE(usage_is_exact_after_many_writers_and_sane_while_they_write) {
    constexpr unsigned writer_count = 16;
    std::atomic<bool> ended = false;
    std::atomic<unsigned> insane = 0;
    std::atomic<unsigned> failed = 0;
    // Made here: the fixture's random numbers are for one thread.
    std::vector<std::vector<image>> work(writer_count);
    for (unsigned w = 0; w < writer_count; ++w)
        for (unsigned i = 0; i < 24; ++i)
            work[w].push_back(
                make(tenant_number(w % 3), "k" + std::to_string(number(10)), 1 + number(2'000), number(300)));
    {
        std::jthread observer([&] {
            while (!ended) {
                const auto used = await(store().usage(std::nullopt));
                // Each image has at most 2,000 bytes; a figure below zero would be enormous.
                if (!used || used->images.count > 30 || used->images.original_bytes > 60'000 ||
                    used->images.preview_bytes > 9'000 || used->kept.count > writer_count * 24)
                    ++insane;
            }
        });
        std::vector<std::jthread> threads;
        for (unsigned w = 0; w < writer_count; ++w)
            threads.emplace_back([&, w] {
                for (std::size_t i = 0; i < work[w].size(); ++i) {
                    const auto& one = work[w][i];
                    const write_rules rules{precondition::any(), i % 3 == 0 ? previous_version::keep(1)
                                                                            : previous_version::drop()};
                    const auto outcome =
                        i % 5 == 4 ? erase(one.record.tenant, one.record.key, rules) : save(one, rules);
                    if (!outcome) ++failed;
                    if (outcome && outcome->kept != 0 && i % 2 == 0) {
                        const auto some =
                            await(store().kept(one.record.tenant, kept_order::oldest_first, "", 1));
                        if (!some || some->items.empty()) continue;
                        const auto& record = *some->items.front().record;
                        if (!await(store().drop_kept(record.id, record.content_rev))) ++failed;
                    }
                }
            });
        threads.clear();
        ended = true;
    }
    BOOST_TEST(failed == 0U);
    BOOST_TEST(insane == 0U);
    expect_exact();
    reopen();
    expect_exact();
}

BOOST_AUTO_TEST_SUITE_END()
