// SPDX-License-Identifier: Apache-2.0
// The index of searched tenants in memory: it answers as the lists on the disk do, before, while and after it
// is loaded, whatever is written meanwhile.
#include "model.hpp"
#include "store_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace gallery;
using namespace gallery::contract;

namespace {

struct search_fixture : store_fixture {
    const tenant_id tenant = tenant_number(1);
    model content;

    double figure(const std::string& name) {
        for (const auto& one : engine().statistics())
            if (one.name == name) return one.value;
        return -1;
    }
    double indexed_bytes() { return figure("search_index_bytes"); }

    /// Saves images by several threads. Titles of a few words, so that many match.
    void fill(unsigned count, const std::string& prefix) { fill(tenant, count, prefix); }
    void fill(const tenant_id& of, unsigned count, const std::string& prefix) {
        std::vector<image> all;
        for (unsigned i = 0; i < count; ++i) {
            auto one = make(of, prefix + std::to_string(i), 10, 0);
            one.record.title = (i % 3 == 0 ? "Pump " : "Valve ") + std::to_string(number(50));
            one.record.created_time = static_cast<std::int64_t>(number(100));
            all.push_back(std::move(one));
        }
        std::atomic<unsigned> next = 0;
        std::mutex mutex;
        std::vector<std::jthread> threads;
        for (int i = 0; i < 16; ++i)
            threads.emplace_back([&] {
                for (unsigned at = next++; at < count; at = next++) {
                    const auto saved = save(all[at]);
                    const std::lock_guard lock(mutex);
                    if (saved) content[{of, all[at].record.key}] = *saved->record;
                }
            });
        threads.clear();
        BOOST_TEST_REQUIRE(content.size() >= count);
    }

    /// Also if that takes long; ends a test that hangs.
    template <class F>
    void wait_until(F is_reached) {
        for (const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2); !is_reached();) {
            BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < until));
            std::this_thread::yield();
        }
    }

    image_query random_query() {
        static const std::vector<std::string> texts = {"", "pump", "valve 4", "v", "1", "nothing", "kept-11"};
        image_query query;
        query.tenant = tenant;
        query.text_search = texts[number(texts.size())];
        query.search_in = number(2) == 0 ? search_scope::names : search_scope::title;
        query.sort = static_cast<image_sort>(number(6));
        query.descending = number(2) == 0;
        query.page_size = static_cast<std::uint32_t>(1 + number(100));
        query.page = number(content.size() / query.page_size + 2);
        if (number(8) == 0) query.filter.created_from = 50;
        if (number(8) == 0) query.filter.is_public = false;
        return query;
    }

    void compare(const image_query& query) {
        const auto wanted = expect_page(content, query);
        const auto got = list(query);
        BOOST_TEST_REQUIRE(got.has_value());
        BOOST_TEST_REQUIRE(got->total == wanted.total);
        BOOST_TEST_REQUIRE(got->images.size() == wanted.images.size());
        for (std::size_t i = 0; i < wanted.images.size(); ++i)
            BOOST_TEST_REQUIRE((got->images[i]->id == wanted.images[i]));
    }

    image_query search(const std::string& text) const { return search(tenant, text); }
    image_query search(const tenant_id& of, const std::string& text) const {
        image_query query;
        query.tenant = of;
        query.text_search = text;
        query.page_size = 100'000;
        return query;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(searches, search_fixture)

BOOST_AUTO_TEST_CASE(lists_are_right_while_an_index_is_loaded_and_images_are_written) {
    // More than are loaded by a search itself.
    constexpr unsigned kept = 5'200;
    fill(kept, "kept-");
    reopen();
    BOOST_TEST(indexed_bytes() == 0);
    std::vector<image> coming;
    for (unsigned i = 0; i < 60; ++i) {
        coming.push_back(make(tenant, "coming-" + std::to_string(i), 10, 0));
        coming.back().record.title = "Valve that comes and goes";
    }
    const auto pumps =
        static_cast<std::uint64_t>(std::count_if(content.begin(), content.end(), [](const auto& one) {
            return one.second.title.starts_with("Pump");
        }));
    std::atomic<bool> has_ended = false;
    std::atomic<int> wrong = 0;
    std::mutex first_mutex;
    std::string first;  // what was wrong first
    const auto report = [&](const std::string& what) {
        const std::lock_guard lock(first_mutex);
        if (wrong++ == 0) first = what;
    };
    std::atomic<int> searches = 0;
    std::atomic<int> searches_in_memory = 0;
    std::vector<std::jthread> readers;
    for (unsigned who = 0; who < 2; ++who)
        readers.emplace_back([&, who] {
            while (!has_ended) {
                const bool in_memory = indexed_bytes() > 0;
                const auto page = list(search(who == 0 ? "pump" : "valve"));
                if (!page || page->total != page->images.size()) {
                    report(page ? "a page that is not its total" : "a search: " + page.error().message);
                    return;
                }
                if (who == 0 && page->total != pumps) report("pumps: " + std::to_string(page->total));
                const auto staying =
                    std::count_if(page->images.begin(), page->images.end(),
                                  [](const auto& one) { return one->key.starts_with("kept-"); });
                if (who == 1 && static_cast<std::uint64_t>(staying) != kept - pumps)
                    report("valves: " + std::to_string(staying));
                ++searches;
                if (in_memory) ++searches_in_memory;
            }
        });
    std::vector<std::jthread> writers;
    for (unsigned who = 0; who < 4; ++who)
        writers.emplace_back([&, who] {
            // Pumps stay pumps.
            while (searches_in_memory < 20 && wrong == 0) {
                for (unsigned i = who; i < coming.size(); i += 4)
                    if (const auto saved = save(coming[i]); !saved)
                        report("a save: " + saved.error().message);
                for (unsigned i = who; i < kept; i += 400) {
                    auto& record = content[{tenant, "kept-" + std::to_string(i)}];
                    record.title =
                        (record.title.starts_with("Pump") ? "Pump " : "Valve ") + std::to_string(i % 7);
                    const auto updated = update(record);
                    if (updated && updated->record)
                        record = *updated->record;
                    else
                        report("an update: " + (updated ? "not committed" : updated.error().message));
                }
                for (unsigned i = who; i < coming.size(); i += 4)
                    if (const auto erased = erase(tenant, coming[i].record.key); !erased)
                        report("a deletion: " + erased.error().message);
            }
        });
    writers.clear();
    has_ended = true;
    readers.clear();
    BOOST_TEST(wrong == 0, first);
    BOOST_TEST(figure("search_index_builds_total") == 1);
    for (int i = 0; i < 100; ++i)
        compare(random_query());
    reopen();
    for (int i = 0; i < 20; ++i)
        compare(random_query());
}

BOOST_AUTO_TEST_CASE(what_is_written_while_a_load_waits_for_another_one_is_listed_once) {
    constexpr unsigned kept = 5'200;
    const tenant_id other = tenant_number(2);
    fill(kept, "kept-");
    fill(other, kept, "kept-");
    reopen();
    list(search("pump"));
    wait_until([&] { return indexed_bytes() > 0; });
    const auto bytes_of_one = indexed_bytes();
    for (int round = 0; round < 5; ++round) {
        reopen();
        std::atomic<bool> has_ended = false;
        unsigned saved = 0;
        std::jthread writer([&] {
            for (; !has_ended; ++saved)
                if (!save(make(other, "coming-" + std::to_string(saved), 10, 0))) return;
        });
        list(search("pump"));         // its load begins,
        list(search(other, "pump"));  // and this one waits for it
        wait_until([&] { return indexed_bytes() > bytes_of_one * 1.5; });
        has_ended = true;
        writer.join();
        for (unsigned i = 0; i < saved; ++i)
            BOOST_TEST_REQUIRE(erase(other, "coming-" + std::to_string(i)).has_value());
        compare(search(other, ""));
        compare(search(other, "coming"));
    }
}

BOOST_AUTO_TEST_CASE(a_tenant_that_does_not_fit_is_searched_on_the_disk) {
    auto& options = under_test().options;
    options["search_index_bytes"] = "17700";
    reopen();
    fill(220, "kept-");  // judged to fit, and do not
    for (int i = 0; i < 40; ++i)
        compare(random_query());
    BOOST_TEST(figure("search_index_builds_total") == 1);
    BOOST_TEST(indexed_bytes() == 0);
    // Another tenant's index fits, and goes for that of a third.
    for (unsigned other = 2; other < 5; ++other) {
        must_save(make(tenant_number(other), "one"));
        auto query = search("one");
        query.tenant = tenant_number(other);
        query.search_in = search_scope::names;
        BOOST_TEST(list(query)->total == 1U);
        BOOST_TEST(indexed_bytes() > 0);
        BOOST_TEST(indexed_bytes() <= 17'700);
    }
    // With fewer images it is tried again.
    for (unsigned i = 0; i < 190; ++i) {
        BOOST_TEST_REQUIRE(erase(tenant, "kept-" + std::to_string(i)).has_value());
        content.erase({tenant, "kept-" + std::to_string(i)});
    }
    const auto builds = figure("search_index_builds_total");
    compare(search("pump"));
    BOOST_TEST(figure("search_index_builds_total") == builds + 1);
    for (int i = 0; i < 40; ++i)
        compare(random_query());
    options.erase("search_index_bytes");
    reopen();
    options["search_index_bytes"] = "0";
    reopen();
    for (int i = 0; i < 40; ++i)
        compare(random_query());
    BOOST_TEST(figure("search_index_builds_total") == 0);
    options.erase("search_index_bytes");
}

BOOST_AUTO_TEST_SUITE_END()
