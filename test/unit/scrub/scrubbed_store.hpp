// SPDX-License-Identifier: Apache-2.0
/// A store with faults, and a scrubber of it that is driven step by step.
#pragma once

#include "../mirror/stores.hpp"

#include "scrub/scrubber.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::scrub::test {

using gallery::test::await;
using mirror::test::erase;
using mirror::test::faulty_store;
using mirror::test::make_picture;
using mirror::test::mentions;
using mirror::test::message_of;
using mirror::test::picture;
using mirror::test::save;
using mirror::test::scratch_store;
using mirror::test::tenant;
using std::chrono::milliseconds;

inline task<result<std::optional<std::string>>> loaded(std::optional<std::string> text) {
    co_return text;
}
inline task<result<void>> done() {
    co_return result<void>();
}

inline task<result<bool>> answered(bool answer) {
    co_return answer;
}
inline task<result<std::string>> named(result<std::string> name) {
    co_return name;
}

/// The turn of a server that is alone.
inline turn always() {
    return {[] { return answered(true); }, [] { return done(); }, [] {}};
}

/// What several servers, or one before and after a restart, have in common.
struct surroundings {
    std::int64_t now = 1'000'000'000'000;
    result<std::string> store_name = std::string("one");
    std::optional<std::string> stored;
    std::vector<std::string> problems;  ///< what was logged as one
    std::vector<std::string> notes;
};

/// One start of a server.
class server {
public:
    server(storage_engine& store, surroundings& around, turn its_turn = always()) {
        options.store_name = [&around] { return named(around.store_name); };
        options.load = [&around] { return loaded(around.stored); };
        options.save = [&around](std::string text) {
            around.stored = std::move(text);
            return done();
        };
        options.turn = std::move(its_turn);
        options.now = [&around] { return around.now; };
        options.log = [&around](bool is_problem, std::string_view text) {
            (is_problem ? around.problems : around.notes).emplace_back(text);
        };
        options.page = 4;
        options.saving = milliseconds(0);
        options.renewal = milliseconds(0);
        live.interval.store(std::chrono::hours(24));
        scrubber_ = std::make_unique<scrubber>(
            store, options, live, [this] { return interrupt_after && read() >= *interrupt_after; }, board);
    }

    milliseconds step() { return await(scrubber_->step()).value(); }
    result<void> start(std::optional<std::uint64_t> rate = std::nullopt) {
        return await(scrubber_->start(rate));
    }
    result<void> stop() { return await(scrubber_->stop()); }
    [[nodiscard]] scrub_status status() const { return board.read(); }
    [[nodiscard]] std::uint64_t read() const { return status().bodies; }

    /// Steps until there is nothing to do.
    void run() {
        for (int i = 0; i < 10'000; ++i)
            if (step().count() > 0) return;
        BOOST_FAIL("the pass does not end");
    }
    /// A whole pass.
    void pass() {
        const auto started = start();
        BOOST_REQUIRE_MESSAGE(started.has_value(), message_of(started));
        run();
        BOOST_REQUIRE(bool(status().state == scrub_state::idle));
    }

    scrub_options options;
    live_settings live;
    status_board board;
    std::optional<std::uint64_t> interrupt_after;  ///< bodies

private:
    std::unique_ptr<scrubber> scrubber_;
};

/// Twenty images of two tenants with previews, of which some are replaced and kept. Bodies are larger than
/// what engines store inside of their tables.
inline void fill(storage_engine& store) {
    for (unsigned i = 0; i < 20; ++i) {
        const std::string key = "key-" + std::to_string(i);
        save(store, make_picture(tenant(i % 2), key, "picture " + std::to_string(i), 40'000 + i));
        if (i % 4 == 0) {
            save(store, make_picture(tenant(i % 2), key, "second " + std::to_string(i), 5'000 + i),
                 {precondition::any(), previous_version::keep(1'800'000'000'000 + i)});
        }
    }
}

/// How many bodies there are, and their bytes.
inline figures contents(storage_engine& store) {
    figures out;
    const auto count = [&out](const image_record& record) {
        out.bodies += record.preview_is_original ? 1 : 2;
        out.bytes += record.original.size + (record.preview_is_original ? 0 : record.preview.size);
    };
    for (const auto& one : await(store.images().scan(std::nullopt, "", 1'000)).value().items) {
        ++out.images;
        count(*one);
    }
    for (const auto& one : mirror::test::all_kept(store)) {
        ++out.versions;
        count(*one.record);
    }
    return out;
}

}  // namespace gallery::scrub::test
