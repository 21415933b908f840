// SPDX-License-Identifier: Apache-2.0
// Two openings of one shared store, as of two processes. Needs --second-folder.
#include "store_fixture.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <latch>
#include <set>
#include <thread>

using namespace gallery;
using namespace gallery::contract;

namespace {

using clock_type = std::chrono::steady_clock;

struct two_openings_fixture : store_fixture {
    two_openings_fixture() {
        if (!under_test().second_folder) return;
        const std::filesystem::path first(folder());
        const auto beside = folder() + "-second";
        std::filesystem::create_directory(beside);
        auto opened = open_store(beside, first.filename().string());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), "the second folder: " << opened.error().message);
        second_ = std::move(*opened);
    }
    ~two_openings_fixture() {
        second_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder() + "-second", ignored);
    }

    [[nodiscard]] bool is_asked() const { return second_ != nullptr; }
    /// The first opening or the second.
    storage_engine& at(unsigned which) { return which % 2 == 0 ? engine() : *second_; }

    result<write_outcome> save_at(unsigned which, const image& what,
                                  write_rules rules = precondition::any()) {
        return await(
            at(which).images().save(what.record, bytes::own(what.original), bytes::own(what.preview), rules));
    }
    result<std::string> read_at(unsigned which, record_ptr record) {
        auto got = await(at(which).images().read(std::move(record), representation::original));
        if (!got) return got.error();
        const auto loaded = got->load();
        if (!loaded) return error{errc::io_error, "the body could not be loaded"};
        return std::string(loaded->view());
    }
    /// Runs @p work(writer) in so many threads at once.
    template <class Work>
    static void together(unsigned count, Work work) {
        std::latch start(count);
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < count; ++i)
            threads.emplace_back([&, i] {
                start.arrive_and_wait();
                work(i);
            });
    }

private:
    std::unique_ptr<storage_engine> second_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(two_openings, two_openings_fixture)

BOOST_AUTO_TEST_CASE(a_write_is_seen_by_the_other_opening_at_once) {
    if (!is_asked()) return;
    for (unsigned i = 0; i < 20; ++i) {
        const unsigned other = i + 1;
        const auto one = make(tenant_number(1), "k" + std::to_string(i % 5), 1 + number(40'000));
        const auto saved = save_at(i, one).value();
        auto& images = at(other).images();
        const auto found = await(images.find(one.record.tenant, one.record.key));
        BOOST_TEST_REQUIRE(found.has_value());
        BOOST_TEST((**found == *saved.record));
        BOOST_TEST(await(images.find_by_id(one.record.id)).has_value());
        BOOST_TEST(await(images.find_by_public_key(one.record.public_key)).has_value());
        BOOST_TEST(await(images.find_by_content(tenant_number(1), one.record.original.etag))->size() == 1U);
        BOOST_TEST(read_at(other, *found).value() == one.original);
        image_query query;
        query.tenant = tenant_number(1);
        query.sub_type = one.record.sub_type;
        query.text_search = one.record.title;
        BOOST_TEST(await(images.list(query))->total == 1U);
        BOOST_TEST(await(images.usage(tenant_number(1)))->images.count == std::min(i + 1, 5U));
        BOOST_TEST(await(at(other).feed().last()).value() >= saved.rev);
        const auto doc =
            await(at(i).documents().save({"user", "u", std::to_string(i), 0}, precondition::any()));
        BOOST_TEST_REQUIRE(doc.has_value());
        BOOST_TEST(await(at(other).documents().find("user", "u"))->body == std::to_string(i));
    }
}

BOOST_AUTO_TEST_CASE(preconditions_and_names_are_judged_over_both) {
    if (!is_asked()) return;
    for (unsigned round = 0; round < 5; ++round) {
        const auto key = "key " + std::to_string(round);
        const auto link = random_public_key();
        std::vector<image> same_key;
        std::vector<image> same_link;
        for (unsigned i = 0; i < 8; ++i) {
            same_key.push_back(make(tenant_number(1), key));
            same_link.push_back(make(tenant_number(2), key + " " + std::to_string(i)));
            same_link.back().record.public_key = link;
        }
        std::atomic<unsigned> keys = 0;
        std::atomic<unsigned> links = 0;
        std::atomic<unsigned> claims = 0;
        std::atomic<unsigned> lost = 0;
        together(8, [&](unsigned i) {
            const auto count = [&](const auto& outcome, std::atomic<unsigned>& won) {
                if (outcome) ++(outcome->status == write_status::committed ? won : lost);
            };
            count(save_at(i, same_key[i], precondition::absent()), keys);
            count(save_at(i + 1, same_link[i], precondition::absent()), links);
            std::vector<document_write> parts = {
                document_write::save({"user", "u" + std::to_string(round) + "-" + std::to_string(i), "", 0},
                                     precondition::absent()),
                document_write::save({"email", "e" + std::to_string(round), "", 0}, precondition::absent())};
            count(await(at(i).documents().write(std::move(parts))), claims);
        });
        BOOST_TEST(keys == 1U);
        BOOST_TEST(links == 1U);
        BOOST_TEST(claims == 1U);
        BOOST_TEST(lost == 21U);
    }
    BOOST_TEST(await(documents().scan("user", "", 100))->items.size() == 5U);
}

BOOST_AUTO_TEST_CASE(a_limit_holds_over_both) {
    if (!is_asked()) return;
    std::vector<image> images;
    for (unsigned i = 0; i < 32; ++i)
        images.push_back(make(tenant_number(1), "k" + std::to_string(i), 10, 0));
    std::atomic<unsigned> committed = 0;
    together(8, [&](unsigned w) {
        for (std::size_t i = w; i < images.size(); i += 8) {
            const write_rules rules{precondition::any(), previous_version::drop(), usage_limit{11, 1'000}};
            const auto outcome = save_at(w, images[i], rules);
            if (outcome && outcome->status == write_status::committed) ++committed;
        }
    });
    BOOST_TEST(committed == 11U);
}

BOOST_AUTO_TEST_CASE(revisions_of_both_are_one_sequence_and_both_feeds_have_all) {
    if (!is_asked()) return;
    const auto begin = last_change();
    std::vector<image> images;
    for (unsigned i = 0; i < 64; ++i)
        images.push_back(make(tenant_number(i % 3), "k" + std::to_string(i % 20)));
    std::mutex mutex;
    std::set<revision> revisions;
    together(8, [&](unsigned w) {
        for (std::size_t i = w; i < images.size(); i += 8) {
            const auto outcome = save_at(w, images[i]);
            const std::lock_guard lock(mutex);
            if (outcome) revisions.insert(outcome->rev);
        }
    });
    BOOST_TEST(revisions.size() == images.size());
    for (const unsigned which : {0U, 1U}) {
        std::set<revision> seen;
        auto after = begin;
        for (;;) {
            const auto batch = await(at(which).feed().changes(after, 7));
            BOOST_TEST_REQUIRE(batch.has_value());
            BOOST_TEST_REQUIRE(!batch->gap);
            if (batch->changes.empty()) break;
            for (const auto& one : batch->changes) {
                BOOST_TEST_REQUIRE(one.rev > after);
                after = one.rev;
                seen.insert(one.rev);
            }
        }
        BOOST_TEST((seen == revisions));
    }
}

BOOST_AUTO_TEST_CASE(the_horizon_passes_a_write_of_the_other_only_with_its_change) {
    if (!is_asked()) return;
    auto after = last_change();
    for (unsigned i = 0; i < 10; ++i) {
        const auto saved = save_at(i, make(tenant_number(1), "a")).value();
        const auto acknowledged = clock_type::now();
        bool seen = false;
        auto last_horizon = clock_type::time_point::min();
        for (;;) {
            const auto batch = await(at(i + 1).feed().changes(after, 3));
            BOOST_TEST_REQUIRE(batch.has_value());
            for (const auto& one : batch->changes)
                seen = seen || one.rev == saved.rev;
            after = batch->next;
            if (batch->horizon == clock_type::time_point::min()) continue;
            BOOST_TEST_REQUIRE((batch->horizon >= last_horizon));
            last_horizon = batch->horizon;
            BOOST_TEST_REQUIRE((batch->horizon <= clock_type::now()));
            if (batch->horizon > acknowledged) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        BOOST_TEST(seen);
    }
}

BOOST_AUTO_TEST_CASE(a_listener_hears_of_commits_of_the_other) {
    if (!is_asked()) return;
    std::atomic<unsigned> calls = 0;
    at(1).feed().on_change([&] { ++calls; });
    for (unsigned i = 0; i < 3; ++i) {
        const auto before = calls.load();
        const auto saved = save_at(0, make(tenant_number(1), "a")).value();
        while (calls.load() == before)
            std::this_thread::yield();
        BOOST_TEST(await(at(1).feed().last()).value() >= saved.rev);
    }
}

BOOST_AUTO_TEST_CASE(what_one_keeps_the_other_reads_and_drops) {
    if (!is_asked()) return;
    const auto first = make(tenant_number(1), "a", 50'000);
    const auto saved = save_at(0, first).value();
    const write_rules keeping{precondition::any(), previous_version::keep(77)};
    BOOST_TEST(save_at(1, with_bytes(first, 10, 1), keeping)->kept == saved.rev);
    BOOST_TEST(read_at(0, saved.record).value() == first.original);
    BOOST_TEST(await(at(0).images().find_kept(first.record.id, saved.rev))->kept_time == 77);
    const auto dropped = await(at(0).images().drop_kept(first.record.id, saved.rev));
    BOOST_TEST(dropped->status == write_status::committed);
    const auto gone = read_at(1, saved.record);
    BOOST_TEST((gone.has_error() && gone.error().code == errc::stale));
}

BOOST_AUTO_TEST_SUITE_END()
