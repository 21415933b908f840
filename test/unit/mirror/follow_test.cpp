// SPDX-License-Identifier: Apache-2.0
// Writes to the source during the copy and after it.
#include "stores.hpp"

#include <random>
#include <string>
#include <thread>

namespace gallery::mirror::test {

namespace {

/// Random writes of all kinds to few keys, so that they meet.
class writer {
public:
    writer(storage_engine& store, unsigned seed) : store_(store), random_(seed) {}

    void write() {
        const auto of = tenant(number(2));
        const auto key = "key-" + std::to_string(number(12));
        const auto text = "written " + std::to_string(++count_);
        const auto rule =
            number(2) == 0 ? previous_version::keep(2'000'000'000'000 + count_) : previous_version::drop();
        switch (number(7)) {
            case 0:
            case 1:
            case 2:
                save(store_, make_picture(of, key, text, 200 + number(2'000)), {precondition::any(), rule});
                break;
            case 3:
                static_cast<void>(await(store_.images().erase(of, key, {precondition::any(), rule})));
                break;
            case 4:
                update(of, key, text);
                break;
            case 5:
                save_document(store_, "user", "id-" + std::to_string(number(9)), text);
                break;
            default:
                drop_oldest();
        }
    }

private:
    unsigned number(unsigned below) { return static_cast<unsigned>(random_() % below); }

    void update(const tenant_id& of, const std::string& key, const std::string& text) {
        const auto found = await(store_.images().find(of, key));
        if (!found) return;
        image_record changed = **found;
        changed.title = text;
        static_cast<void>(await(store_.images().update(changed, precondition::any())));
    }

    void drop_oldest() {
        const auto kept = await(store_.images().kept(std::nullopt, kept_order::oldest_first, "", 5)).value();
        if (kept.items.empty()) return;
        const auto& record = *kept.items[number(static_cast<unsigned>(kept.items.size()))].record;
        static_cast<void>(await(store_.images().drop_kept(record.id, record.content_rev)));
    }

    storage_engine& store_;
    std::mt19937 random_;
    unsigned count_ = 0;
};

void check_same_kept_order(storage_engine& a, storage_engine& b) {
    const auto one = await(a.images().kept(std::nullopt, kept_order::newest_first, "", 10'000)).value();
    const auto other = await(b.images().kept(std::nullopt, kept_order::newest_first, "", 10'000)).value();
    BOOST_REQUIRE(one.items.size() == other.items.size());
    for (std::size_t i = 0; i < one.items.size(); ++i)
        BOOST_TEST(one.items[i].kept_time == other.items[i].kept_time);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(following)

BOOST_AUTO_TEST_CASE(changes_after_the_copy_are_applied_and_only_they) {
    for (const char* engine : {"memory", "filesystem", "rocksdb"}) {
        BOOST_TEST_CONTEXT(engine) {
            scratch_store source(engine);
            scratch_store target("memory");
            fill(*source);
            copier all(*source, *target, "the source", small_pages());
            require(copy_all(all));
            writer writes(*source, 7);
            for (int round = 0; round < 6; ++round) {
                for (int i = 0; i < 15; ++i)
                    writes.write();
                const auto copied = all.done().images_copied;
                BOOST_TEST(bool(await(all.follow()).value() == copier::reach::end));
                BOOST_TEST(all.done().images_copied - copied <= 15U);
                check_same(*source, *target);
                check_same_kept_order(*source, *target);
                BOOST_TEST(all.position() == await(source->feed().last()).value());
                BOOST_TEST(!await(find_mark(target->documents())).value()->value.is_complete);
                require(await(all.complete(false)));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(writes_during_the_copy_are_not_missed) {
    for (unsigned seed = 0; seed < 8; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            scratch_store source("memory");
            scratch_store target("memory");
            fill(*source, 40);
            faulty_store written(*source);
            writer writes(*source, seed);
            int left = 150;
            // From a thread of its own, as the test's thread is within the copy.
            written.faulty.before_find = [&writes, &left] {
                if (left == 0) return;
                --left;
                std::thread([&writes] { writes.write(); }).join();
            };
            copier all(written, *target, "the source", small_pages());
            require(copy_all(all));
            BOOST_TEST(left < 150);
            written.faulty.before_find = nullptr;
            BOOST_TEST(bool(await(all.follow()).value() == copier::reach::end));
            check_same(*source, *target);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_gap_in_the_feed_leads_to_a_comparing_pass_and_not_to_a_fresh_copy) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    faulty_store lossy(*source);
    copier all(lossy, *target, "the source", small_pages());
    require(copy_all(all));
    const auto copied = all.done().images_copied;
    writer writes(*source, 3);
    for (int i = 0; i < 20; ++i)
        writes.write();
    lossy.faulty_changes.gaps = 1;
    BOOST_TEST(bool(await(all.follow()).value() == copier::reach::gap));
    require(await(all.copy_all()));
    check_same(*source, *target);
    check_same_kept_order(*source, *target);
    BOOST_TEST(all.done().images_copied - copied <= 20U);
}

BOOST_AUTO_TEST_CASE(a_gap_during_the_copy_begins_the_pass_again) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    faulty_store lossy(*source);
    lossy.faulty_changes.gaps = 3;
    copier all(lossy, *target, "the source", small_pages());
    require(copy_all(all));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(a_source_that_was_reset_is_compared_anew_if_that_is_asked_for) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    copier all(*source, *target, "the source", small_pages());
    require(copy_all(all));
    // The same store of an earlier time, with fewer revisions.
    scratch_store restored("memory");
    fill(*restored, 5);
    copier again(*restored, *target, "the source", small_pages());
    require(await(again.begin(true)));
    require(await(again.copy_all()));
    check_same(*restored, *target);
}

BOOST_AUTO_TEST_CASE(another_history_of_the_same_name_is_compared_anew_if_that_is_asked_for) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    copier all(*source, *target, "the source", small_pages());
    require(copy_all(all));
    // As many changes, so the position is one of its feed, too.
    scratch_store other("memory");
    fill(*other);
    BOOST_TEST(await(other->feed().last()).value() == all.position());
    copier again(*other, *target, "the source", small_pages());
    require(await(again.begin(true)));
    require(await(again.copy_all()));
    check_same(*other, *target);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
