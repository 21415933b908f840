// SPDX-License-Identifier: Apache-2.0
// Many writers and readers at the same time: one winner, no lost update, no foreign bytes.
#include "store_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <latch>
#include <set>
#include <thread>

using namespace gallery;
using namespace gallery::contract;

namespace {

constexpr unsigned writers = 16;

struct concurrency_fixture : store_fixture {
    /// Runs @p work(writer) in so many threads that start together. Boost.Test is not called in them:
    /// what a writer finds wrong it hands to wrong().
    template <class Work>
    void together(unsigned count, Work work) {
        std::latch start(count);
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < count; ++i)
            threads.emplace_back([&, i] {
                start.arrive_and_wait();
                try {
                    work(i);
                } catch (const std::exception& e) {
                    wrong(std::string("thrown: ") + e.what());
                }
            });
        threads.clear();
        for (const auto& what : wrongs_)
            BOOST_ERROR(what);
    }
    void wrong(std::string what) {
        const std::lock_guard lock(mutex_);
        if (wrongs_.size() < 20) wrongs_.push_back(std::move(what));
    }

    std::vector<image> prepared(unsigned count, const std::function<image(unsigned)>& one) {
        std::vector<image> all;
        for (unsigned i = 0; i < count; ++i)
            all.push_back(one(i));
        return all;
    }

    static bool committed(const result<write_outcome>& outcome) {
        return outcome.has_value() && outcome->status == write_status::committed;
    }

private:
    std::mutex mutex_;
    std::vector<std::string> wrongs_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(concurrency, concurrency_fixture)

BOOST_AUTO_TEST_CASE(of_16_that_create_one_key_exactly_one_wins) {
    for (int round = 0; round < 10; ++round) {
        const auto key = "k" + std::to_string(round);
        const auto images = prepared(writers, [&](unsigned) { return make(tenant_number(1), key); });
        std::vector<result<write_outcome>> outcomes(writers, error{});
        together(writers, [&](unsigned i) { outcomes[i] = save(images[i], precondition::absent()); });
        const auto won = std::find_if(outcomes.begin(), outcomes.end(), committed);
        BOOST_TEST_REQUIRE((won != outcomes.end()));
        BOOST_TEST(std::count_if(outcomes.begin(), outcomes.end(), committed) == 1);
        for (const auto& outcome : outcomes) {
            BOOST_TEST_REQUIRE(outcome.has_value());
            if (!committed(outcome)) BOOST_TEST(outcome->status == write_status::conflict);
            BOOST_TEST(outcome->rev == (*won)->rev);
        }
        expect_stored(images[static_cast<std::size_t>(won - outcomes.begin())]);
    }
}

BOOST_AUTO_TEST_CASE(of_16_that_replace_one_revision_exactly_one_wins) {
    auto current = must_save(make(tenant_number(1), "a"));
    for (int round = 0; round < 10; ++round) {
        const auto images = prepared(writers, [&](unsigned) { return make(tenant_number(1), "a", 3000); });
        std::vector<result<write_outcome>> outcomes(writers, error{});
        together(writers, [&](unsigned i) {
            const auto condition = precondition::match(current->rev);
            outcomes[i] = i % 4 == 3 ? update(images[i].record, condition) : save(images[i], condition);
        });
        BOOST_TEST_REQUIRE(std::count_if(outcomes.begin(), outcomes.end(), committed) == 1);
        const auto won = std::find_if(outcomes.begin(), outcomes.end(), committed);
        current = must_find(tenant_number(1), "a");
        BOOST_TEST(current->rev == (*won)->rev);
        BOOST_TEST((*current == *(*won)->record));
    }
}

BOOST_AUTO_TEST_CASE(of_16_that_erase_one_image_exactly_one_wins) {
    for (int round = 0; round < 10; ++round) {
        const auto saved = must_save(make(tenant_number(1), "a"));
        std::vector<result<write_outcome>> outcomes(writers, error{});
        together(writers, [&](unsigned i) {
            outcomes[i] = erase(tenant_number(1), "a",
                                i % 2 == 0 ? precondition::any() : precondition::match(saved->rev));
        });
        BOOST_TEST(std::count_if(outcomes.begin(), outcomes.end(), committed) == 1);
        for (const auto& outcome : outcomes)
            BOOST_TEST(
                (outcome.has_value() && (committed(outcome) || outcome->status == write_status::absent)));
        BOOST_TEST(find(tenant_number(1), "a").has_error());
    }
}

BOOST_AUTO_TEST_CASE(of_16_that_want_one_public_key_exactly_one_gets_it) {
    for (int round = 0; round < 5; ++round) {
        const auto public_key = random_public_key();
        const auto images = prepared(writers, [&](unsigned i) {
            auto one = make(tenant_number(i % 3), "r" + std::to_string(round) + "k" + std::to_string(i));
            one.record.public_key = public_key;
            return one;
        });
        std::vector<result<write_outcome>> outcomes(writers, error{});
        together(writers, [&](unsigned i) { outcomes[i] = save(images[i]); });
        BOOST_TEST(std::count_if(outcomes.begin(), outcomes.end(), committed) == 1);
        for (unsigned i = 0; i < writers; ++i) {
            if (committed(outcomes[i]))
                expect_stored(images[i]);
            else
                BOOST_TEST(
                    (outcomes[i].has_value() && outcomes[i]->status == write_status::public_key_taken));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_update_is_lost) {
    // Each writer appends its mark to the title until it has succeeded five times; all must be there.
    auto first = make(tenant_number(1), "a");
    first.record.title = "";
    must_save(first);
    together(writers, [&](unsigned i) {
        for (int done = 0; done < 5;) {
            const auto found = find(tenant_number(1), "a");
            if (!found) return wrong("not found: " + found.error().message);
            auto next = **found;
            next.title += static_cast<char>('a' + i);
            const auto outcome = update(next, precondition::match(next.rev));
            if (!outcome) return wrong("update: " + outcome.error().message);
            if (committed(outcome)) ++done;
        }
    });
    auto title = must_find(tenant_number(1), "a")->title;
    std::sort(title.begin(), title.end());
    std::string wanted;
    for (unsigned i = 0; i < writers; ++i)
        wanted += std::string(5, static_cast<char>('a' + i));
    BOOST_TEST(title == wanted);
}

BOOST_AUTO_TEST_CASE(no_update_of_a_document_is_lost) {
    save_document({"counter", "c", "0", 0}).value();
    together(writers, [&](unsigned) {
        for (int done = 0; done < 5;) {
            auto found = await(documents().find("counter", "c"));
            if (!found) return wrong("not found: " + found.error().message);
            found->body = std::to_string(std::stoi(found->body) + 1);
            const auto rev = found->rev;
            const auto outcome = save_document(*found, precondition::match(rev));
            if (!outcome) return wrong("save_document: " + outcome.error().message);
            if (committed(outcome)) ++done;
        }
    });
    BOOST_TEST(await(documents().find("counter", "c"))->body == std::to_string(writers * 5));
}

BOOST_AUTO_TEST_CASE(writers_of_different_images_all_succeed_and_all_is_in_the_feed) {
    const auto before = last_change();
    const auto images = prepared(writers * 10, [&](unsigned i) {
        return make(tenant_number(i % 5), "k" + std::to_string(i), 1 + number(60'000));
    });
    std::vector<revision> revisions(images.size());
    together(writers, [&](unsigned i) {
        for (std::size_t n = i; n < images.size(); n += writers) {
            const auto outcome = save(images[n], precondition::absent());
            if (!committed(outcome)) return wrong("not committed");
            revisions[n] = outcome->rev;
        }
    });
    for (const auto& one : images)
        expect_stored(one);
    std::set<revision> wanted(revisions.begin(), revisions.end());
    std::set<revision> got;
    for (const auto& one : changes_after(before))
        got.insert(one.rev);
    BOOST_TEST(wanted.size() == images.size());
    BOOST_TEST((got == wanted));
    reopen();
    for (const auto& one : images)
        expect_stored(one);
}

BOOST_AUTO_TEST_CASE(a_reader_never_gets_the_bytes_of_another_save) {
    for (const std::size_t size : {200U, 90'000U}) {
        auto base = make(tenant_number(1), "hammered", size, 64);
        must_save(base);
        const auto versions =
            prepared(60, [&](unsigned) { return with_bytes(base, size + number(3), 64 + number(3)); });
        std::atomic<bool> finished = false;
        std::atomic<unsigned> right = 0;
        together(5, [&](unsigned who) {
            if (who == 0) {
                for (const auto& version : versions) {
                    if (!committed(save(version))) wrong("a replacement was not committed");
                    const auto enough = right.load();
                    while (right.load() < enough + 2 && !finished)
                        std::this_thread::yield();
                }
                finished = true;
                return;
            }
            record_ptr kept;
            while (!finished) {
                const auto found = find(tenant_number(1), "hammered");
                if (!found) return finished = true, wrong("not found: " + found.error().message);
                for (const auto& record : {*found, kept}) {
                    if (record == nullptr) continue;
                    for (const auto which : {representation::original, representation::preview}) {
                        const auto got = read(record, which);
                        if (got.has_error()) {
                            if (got.error().code == errc::stale) continue;
                            finished = true;
                            return wrong("read: " + got.error().message);
                        }
                        if (sha256(*got) != record->descriptor(which).etag) {
                            finished = true;
                            return wrong("other bytes than the record's");
                        }
                    }
                }
                kept = *found;
                ++right;
            }
        });
        expect_stored(versions.back());
    }
}

BOOST_AUTO_TEST_CASE(reading_the_current_record_succeeds_within_a_few_tries_while_it_is_replaced) {
    const auto base = make(tenant_number(1), "a", 5000, 10);
    must_save(base);
    const auto versions = prepared(40, [&](unsigned) { return with_bytes(base, 5000, 10); });
    std::atomic<bool> finished = false;
    together(3, [&](unsigned who) {
        if (who == 0) {
            for (const auto& version : versions)
                save(version).value();
            finished = true;
            return;
        }
        while (!finished) {
            bool got_it = false;
            for (int attempt = 0; attempt < 50 && !got_it; ++attempt) {
                const auto found = find(tenant_number(1), "a");
                if (!found) return wrong("not found");
                got_it = read(*found, representation::original).has_value();
            }
            if (!got_it) return wrong("50 fresh records in a row were stale");
        }
    });
}

BOOST_AUTO_TEST_CASE(lists_and_scans_are_whole_while_others_write) {
    for (int i = 0; i < 50; ++i)
        must_save(make(tenant_number(1), "kept " + std::to_string(i), 10, 0));
    const auto coming =
        prepared(40, [&](unsigned i) { return make(tenant_number(1), "other " + std::to_string(i), 10, 0); });
    std::atomic<bool> finished = false;
    together(4, [&](unsigned who) {
        if (who == 0) {
            for (int round = 0; round < 3; ++round) {
                for (const auto& one : coming)
                    save(one).value();
                for (const auto& one : coming)
                    erase(tenant_number(1), one.record.key).value();
            }
            finished = true;
            return;
        }
        while (!finished) {
            image_query query;
            query.tenant = tenant_number(1);
            query.page_size = 200;
            query.text_search = who == 1 ? "KEPT" : "";
            const auto page = list(query);
            if (!page) return wrong("list: " + page.error().message);
            if (page->total != page->images.size()) return wrong("a page of everything is not the total");
            const auto kept = std::count_if(page->images.begin(), page->images.end(),
                                            [](const auto& r) { return r->key.starts_with("kept"); });
            if (kept != 50) return wrong("a page lacks images that nobody touched");
            std::set<std::string> seen;
            std::string cursor;
            do {
                const auto part = await(store().scan(std::nullopt, cursor, 7));
                if (!part) return wrong("scan: " + part.error().message);
                for (const auto& record : part->items)
                    if (record->key.starts_with("kept") && !seen.insert(record->key).second)
                        return wrong("a scan showed an image twice");
                cursor = part->cursor;
            } while (!cursor.empty());
            if (seen.size() != 50) return wrong("a scan lacks images that nobody touched");
        }
    });
}

BOOST_AUTO_TEST_CASE(operations_resume_on_the_context_they_were_started_on) {
    // await() runs each operation on a context of this thread's own and throws where it does not end there;
    // here two contexts with a thread each are busy at once and every step checks where it is.
    struct driver {
        asio::io_context context{1};
        std::atomic<unsigned> elsewhere = 0;
        std::atomic<unsigned> done = 0;
    };
    std::array<driver, 2> drivers;
    const auto images =
        prepared(40, [&](unsigned i) { return make(tenant_number(2), "k" + std::to_string(i), 40'000); });
    const auto one = [&](driver& on, const image& what) -> task<bool> {
        const auto here = std::this_thread::get_id();
        const auto look = [&] {
            if (std::this_thread::get_id() != here) ++on.elsewhere;
        };
        auto saved = co_await store().save(what.record, bytes::own(what.original), bytes::own(what.preview),
                                           precondition::any());
        look();
        auto found = co_await store().find(what.record.tenant, what.record.key);
        look();
        if (!found) co_return false;
        auto got = co_await store().read(*found, representation::original);
        look();
        image_query query;
        query.tenant = what.record.tenant;
        query.text_search = "title";
        auto page = co_await store().list(query);
        look();
        auto erased = co_await store().erase(what.record.tenant, what.record.key, precondition::any());
        look();
        co_return saved.has_value() && got.has_value() && page.has_value() && erased.has_value();
    };
    for (std::size_t i = 0; i < images.size(); ++i) {
        auto& on = drivers[i % drivers.size()];
        asio::co_spawn(on.context, one(on, images[i]), [&on](std::exception_ptr thrown, bool right) {
            if (!thrown && right) ++on.done;
        });
    }
    {
        std::jthread other([&] { drivers[1].context.run(); });
        drivers[0].context.run();
    }
    for (auto& on : drivers) {
        BOOST_TEST(on.elsewhere == 0U);
        BOOST_TEST(on.done == images.size() / drivers.size());
    }
    expect_sound();
    close();  // contexts outlive stores
}

BOOST_AUTO_TEST_SUITE_END()
