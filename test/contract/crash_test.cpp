// SPDX-License-Identifier: Apache-2.0
// A process that writes is killed again and again: nothing acknowledged is lost, nothing is half there.
// Needs a durable plugin. How often: --kills (10).
#include "crash_writer.hpp"

#include <map>
#include <set>

using namespace gallery;
using namespace gallery::contract;

namespace {

struct crash_fixture : store_fixture {
    struct key_state {
        crash_state acknowledged;
        std::optional<std::uint64_t> under_way;
    };
    /// A key and the step that wrote the bytes which were kept.
    using kept_name = std::pair<unsigned, std::uint64_t>;
    std::set<kept_name> kept;          ///< acknowledged
    std::set<kept_name> perhaps_kept;  ///< by writes under way
    std::uint64_t group_written = 0;   ///< acknowledged
    std::uint64_t group_under_way = 0;
    std::map<unsigned, key_state> keys;
    std::uint64_t last_step = 0;
    revision newest = 0;        ///< of all revisions ever seen
    revision read_until = 0;    ///< in the feed
    std::set<revision> unread;  ///< acknowledged and not seen in the feed yet

    /// Starts a writer, kills it after a while, and takes in what it told.
    void run_and_kill() {
        writer_process writer(folder(), last_step);
        const auto lines_before_the_kill = 1 + number(400);
        std::uint64_t lines = 0;
        while (const auto line = writer.line()) {
            if (lines++ == lines_before_the_kill) writer.kill();
            take_in(*line);
        }
    }

    void take_in(const std::string& line) {
        const auto note = parse_crash_note(line);
        BOOST_REQUIRE_MESSAGE(note.has_value(), "the writer said: " << line);
        BOOST_REQUIRE_MESSAGE(note->what != 'x', "a write failed: " << note->message);
        if (note->what == 'o') return;
        if (note->what == 'g' || note->what == 'h') {
            (note->what == 'g' ? group_under_way : group_written) = note->step;
            return;
        }
        auto& key = keys[note->key];
        last_step = std::max(last_step, note->step);
        if (note->what == 'b') {
            key.under_way = note->step;
            if (keeps(note->step, key.acknowledged))
                perhaps_kept.emplace(note->key, key.acknowledged.bytes_step);
            return;
        }
        const auto before = key.acknowledged;
        if (keeps(note->step, before)) kept.emplace(note->key, before.bytes_step);
        key.acknowledged = after_step(before, note->step);
        key.under_way.reset();
        const bool changes = operation_of(note->step) == crash_operation::save || before.record_step != 0;
        BOOST_TEST(note->committed == changes);
        if (!note->committed) return;
        BOOST_TEST(!unread.contains(note->rev));
        unread.insert(note->rev);
        highest_told_ = std::max(highest_told_, note->rev);
        BOOST_TEST(note->rev > newest);  // newest of before this writer
    }

    static bool keeps(std::uint64_t step, const crash_state& before) {
        return keeps_previous(step) && operation_of(step) != crash_operation::update &&
               before.record_step != 0;
    }

    /// Each acknowledged version is kept with its bytes, and none that nobody asked for. Drops them all.
    void expect_kept_versions() {
        std::size_t found = 0;
        for (;;) {
            const auto page = await(store().kept(std::nullopt, kept_order::oldest_first, "", 50));
            BOOST_REQUIRE_MESSAGE(page.has_value(), "kept: " << page.error().message);
            if (page->items.empty()) break;
            for (const auto& version : page->items) {
                const auto& record = *version.record;
                const kept_name name(record.id.value.data[15],
                                     static_cast<std::uint64_t>(record.created_time));
                BOOST_TEST((kept.contains(name) || perhaps_kept.contains(name)),
                           "kept for nothing: key " << name.first << " with bytes of step " << name.second);
                found += kept.erase(name);
                const auto original = read(version.record, representation::original);
                BOOST_TEST(
                    (original.has_value() && *original == crash_image(name.first, name.second).original));
                const auto dropped = await(store().drop_kept(record.id, record.content_rev));
                BOOST_TEST_REQUIRE((dropped.has_value() && dropped->status == write_status::committed));
            }
        }
        BOOST_TEST(kept.empty(), kept.size() << " kept versions are lost, " << found << " are there");
        kept.clear();
        perhaps_kept.clear();
        const auto used = await(store().usage(std::nullopt));
        BOOST_TEST_REQUIRE(used.has_value());
        BOOST_TEST((used->kept == usage_figures{}));
    }

    /// All documents of the group are of one step: the acknowledged one or the one under way.
    void expect_group() {
        const auto page = await(documents().scan(crash_group_kind, "", 100));
        BOOST_TEST_REQUIRE(page.has_value());
        const auto step = page->items.empty() ? 0 : std::stoull(page->items.front().body);
        BOOST_TEST((step == group_written || step == group_under_way));
        BOOST_TEST(page->items.size() == (step == 0 ? 0U : documents_of_the_group));
        for (const auto& doc : page->items)
            BOOST_TEST(doc.body == std::to_string(step));
        const auto steps = await(documents().scan(crash_step_kind, "", 100));
        BOOST_TEST_REQUIRE(steps.has_value());
        BOOST_TEST(steps->items.size() == (step == 0 ? 0U : 1U));
        if (step != 0 && steps->items.size() == 1)
            BOOST_TEST(steps->items.front().id == "s" + std::to_string(step));
        group_written = step;
    }

    void expect_what_was_acknowledged() {
        expect_sound();
        std::size_t there = 0;
        for (auto& [key, state] : keys) {
            const auto allowed =
                state.under_way ? after_step(state.acknowledged, *state.under_way) : state.acknowledged;
            const auto name = crash_image(key, 1).record;
            const auto found = find(name.tenant, name.key);
            crash_state now;
            if (found) {
                ++there;
                now.record_step = std::stoull((*found)->title.substr(5));
                now.bytes_step = static_cast<std::uint64_t>((*found)->created_time);
                const auto wanted = crash_image(key, now.bytes_step);
                const auto original = read(*found, representation::original);
                BOOST_TEST((original.has_value() && *original == wanted.original));
                const auto preview = read(*found, representation::preview);
                BOOST_TEST(
                    (preview.has_value() &&
                     *preview == (wanted.record.preview_is_original ? wanted.original : wanted.preview)));
                const auto by_link = await(store().find_by_public_key(name.public_key));
                BOOST_TEST((by_link.has_value() && **by_link == **found));
                newest = std::max(newest, (*found)->rev);
            } else {
                BOOST_TEST(found.error().code == errc::not_found);
                BOOST_TEST(await(store().find_by_public_key(name.public_key)).has_error());
            }
            BOOST_TEST((now == state.acknowledged || now == allowed),
                       "key " << key << " is at step " << now.record_step << " with bytes of "
                              << now.bytes_step << ", acknowledged were " << state.acknowledged.record_step
                              << " and " << state.acknowledged.bytes_step);
            state.acknowledged = now;
            state.under_way.reset();
        }
        BOOST_TEST(scan_all(std::nullopt, 10).size() == there);
        for (const auto& one : changes_after(read_until)) {
            read_until = one.rev;
            unread.erase(one.rev);
        }
        expect_kept_versions();
        expect_group();
        BOOST_TEST(unread.empty(), unread.size() << " acknowledged writes are not in the feed");
        unread.clear();
        newest = std::max({newest, highest_told_, last_change()});
    }

private:
    revision highest_told_ = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(crashes, crash_fixture)

BOOST_AUTO_TEST_CASE(nothing_acknowledged_is_lost_and_nothing_is_half_there_after_a_kill) {
    if (!durable()) return;
    read_until = last_change();
    close();
    for (unsigned i = 0; i < under_test().kills; ++i) {
        run_and_kill();
        auto opened = open_store(folder());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), "not opened after a kill: " << opened.error().message);
        take(std::move(*opened));
        expect_what_was_acknowledged();
        close();
    }
}

BOOST_AUTO_TEST_SUITE_END()
