// SPDX-License-Identifier: Apache-2.0
#include "scrub/scrubber.hpp"

#include <algorithm>
#include <utility>

namespace gallery::scrub {

namespace {

using std::chrono::milliseconds;

/// An interval that is changed meanwhile is used after this.
constexpr milliseconds longest_wait{60'000};

constexpr const char* elsewhere_text =
    "Another server of the cluster reads the store. Use the address of that server";

std::string counted(std::uint64_t number, const char* what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

/// For operators; empty if everything was read.
std::string unread_in(const saved_scrub& state) {
    if (state.unread.empty()) return {};
    std::string out = "not everything can be read: " + state.unread;
    if (state.done.unread > 1) out += " And " + std::to_string(state.done.unread - 1) + " more";
    return out;
}

}  // namespace

scrubber::scrubber(storage_engine& store, const scrub_options& options, const live_settings& live,
                   std::function<bool()> is_interrupted, status_board& board)
    : store_(store), options_(options), live_(live), board_(board), pass_(store, reading_) {
    reading_.page = options_.page;
    reading_.rate = [this] { return state_->rate ? *state_->rate : live_.rate.load(); };
    reading_.is_interrupted = std::move(is_interrupted);
    reading_.go_on = [this] { return renew_turn(); };
    reading_.on_read = [this](const figures& done) {
        board_.change([&](scrub_status& s) {
            ++s.bodies;
            s.bytes += done.bytes - std::min(done.bytes, read_before_.bytes);
            s.stored.done = done;
        });
        read_before_ = done;
    };
    reading_.now = options_.now;
    reading_.log = options_.log;
}

task<result<void>> scrubber::see_store() {
    auto asking = options_.store_name();
    auto name = co_await std::move(asking);
    if (!name) co_return name.error();
    if (*name == store_name_) co_return result<void>();
    store_name_ = std::move(*name);
    state_.reset();
    stored_.reset();
    is_unsaved_ = false;
    read_before_ = {};
    has_turn_ = false;
    options_.turn.forget();
    co_return result<void>();
}

task<result<void>> scrubber::know() {
    if (state_ && has_turn_ && is_current_) co_return result<void>();
    auto loading = options_.load();
    auto text = co_await std::move(loading);
    if (!text) co_return text.error();
    is_current_ = true;
    // What could not be stored is not forgotten, unless another server has stored something since.
    if (state_ && is_unsaved_ && *text == stored_) co_return result<void>();
    std::optional<saved_scrub> found;
    if (*text) {
        found = parse_saved_scrub(**text);
        if (!found) options_.log(true, "scrub: the stored state cannot be read, and begins anew");
    }
    stored_ = std::move(*text);
    is_unsaved_ = false;
    if (found && found->store == store_name_) {
        state_ = std::move(*found);
        co_return result<void>();
    }
    co_return co_await make_state();
}

/// Stored at once, so that the first pass is due after an interval even if no server runs for so long.
task<result<void>> scrubber::make_state() {
    const bool had_turn = has_turn_;
    const auto ours = co_await take_turn();
    if (!ours) co_return ours.error();
    state_.emplace();
    state_->store = store_name_;
    state_->idle_since = options_.now();
    co_await keep(true);
    if (!had_turn) co_await give_turn_back();
    co_return result<void>();
}

task<result<bool>> scrubber::take_turn() {
    auto asking = options_.turn.acquire();
    const auto ours = co_await std::move(asking);
    if (!ours) co_return ours.error();
    if (*ours && !has_turn_) is_current_ = false;  // another server may have changed it
    has_turn_ = *ours;
    renewed_at_ = clock::now();
    co_return *ours;
}

task<result<bool>> scrubber::renew_turn() {
    if (has_turn_ && clock::now() - renewed_at_ < options_.renewal) co_return true;
    auto asking = options_.turn.acquire();
    const auto ours = co_await std::move(asking);
    if (!ours) co_return ours.error();
    has_turn_ = *ours;
    renewed_at_ = clock::now();
    co_return *ours;
}

task<void> scrubber::give_turn_back() {
    if (!has_turn_) co_return;
    has_turn_ = false;
    auto releasing = options_.turn.release();
    const auto released = co_await std::move(releasing);
    if (!released)
        options_.log(true, "scrub: the turn could not be handed over: " + released.error().message);
}

task<result<void>> scrubber::write() {
    auto text = to_json(*state_);
    auto saving = options_.save(text);
    auto saved = co_await std::move(saving);
    if (saved) stored_ = std::move(text);
    co_return saved;
}

task<void> scrubber::keep(bool at_once) {
    const auto now = clock::now();
    if (!at_once && now - saved_at_ < options_.saving) co_return;
    // Only the server that has the turn writes what is common.
    if (!has_turn_) co_return;
    saved_at_ = now;
    auto writing = write();
    const auto saved = co_await std::move(writing);
    if (!saved && !is_unsaved_) {
        options_.log(
            true, "scrub: its state cannot be stored, so a restart begins again: " + saved.error().message);
    }
    is_unsaved_ = saved.has_error();
}

std::int64_t scrubber::due_at() const {
    if (state_->is_running) return state_->started_at;
    const auto interval = live_.interval.load().count();
    return interval == 0 ? 0 : std::max(state_->idle_since, state_->started_at) + interval;
}

milliseconds scrubber::until_due() const {
    const auto due = due_at();
    if (due == 0) return longest_wait;
    return std::clamp(milliseconds(due - options_.now()), milliseconds(0), longest_wait);
}

void scrubber::show(scrub_state state, const std::string& problem) {
    board_.change([&](scrub_status& s) {
        s.state = state;
        s.problem = problem;
        s.is_incomplete = !problem.empty();
        if (!state_) return;
        s.stored = *state_;
        s.due_at = due_at();
        s.rate = state_->rate ? *state_->rate : live_.rate.load();
        s.is_incomplete = s.is_incomplete || !state_->unread.empty();
        if (s.problem.empty()) s.problem = state_->problem;
        if (s.problem.empty()) s.problem = unread_in(*state_);
    });
}

task<result<void>> scrubber::begin(std::optional<std::uint64_t> rate) {
    auto beginning = pass_.begin(*state_);
    const auto begun = co_await std::move(beginning);
    if (!begun) co_return begun;
    state_->rate = rate;
    read_before_ = {};
    options_.log(false, "scrub: a pass over " + counted(state_->total.images, "image") + " and " +
                            counted(state_->total.versions, "kept version") + " has begun");
    co_await keep(true);
    show(scrub_state::running, "");
    co_return result<void>();
}

task<result<void>> scrubber::start(std::optional<std::uint64_t> rate) {
    if (auto seen = co_await see_store(); !seen) co_return seen;
    const auto ours = co_await take_turn();
    if (!ours) co_return ours.error();
    if (!*ours) co_return error{errc::busy, elsewhere_text};
    auto begun = co_await know();
    if (begun && !state_->is_running) {
        begun = co_await begin(rate);
        if (begun) co_return begun;
    }
    if (!begun) {
        co_await give_turn_back();
        co_return begun;
    }
    if (rate) state_->rate = rate;
    co_await keep(true);
    show(scrub_state::running, "");
    co_return result<void>();
}

task<result<void>> scrubber::end() {
    state_->is_running = false;
    state_->rate.reset();
    state_->cursor.clear();
    co_await keep(true);
    co_await give_turn_back();
    show(scrub_state::idle, "");
    co_return result<void>();
}

task<result<void>> scrubber::stop() {
    if (auto seen = co_await see_store(); !seen) co_return seen;
    const auto ours = co_await take_turn();
    if (!ours) co_return ours.error();
    if (!*ours) co_return error{errc::busy, elsewhere_text};
    if (auto known = co_await know(); !known) co_return known;
    if (state_->is_running) {
        state_->idle_since = options_.now();
        state_->problem = "the pass was stopped before it was complete";
        options_.log(false, "scrub: stopped");
    }
    co_return co_await end();
}

task<result<milliseconds>> scrubber::step() {
    if (auto seen = co_await see_store(); !seen) {
        show(scrub_state::idle, "the store cannot be identified: " + seen.error().message);
        co_return options_.retry;
    }
    if (auto known = co_await know(); !known) {
        show(scrub_state::idle, "the state of the scrub cannot be read: " + known.error().message);
        co_return options_.retry;
    }
    const auto wait = until_due();
    if (!state_->is_running && wait.count() > 0) {
        show(scrub_state::idle, "");
        co_return wait;
    }
    // due_at() is 0 if there is no interval, and then the wait above is not 0.
    result<bool> ours = true;
    if (!has_turn_) ours = co_await take_turn();
    if (!ours || !*ours) {
        show(ours ? scrub_state::elsewhere : scrub_state::idle,
             ours ? std::string() : "the scrub lease cannot be read: " + ours.error().message);
        co_return options_.retry;
    }
    if (auto known = co_await know(); !known) {
        show(scrub_state::idle, "the state of the scrub cannot be read: " + known.error().message);
        co_return options_.retry;
    }
    if (!state_->is_running) {
        if (until_due().count() > 0) {  // another server has done it meanwhile
            co_await give_turn_back();
            co_return milliseconds(0);
        }
        if (auto begun = co_await begin(std::nullopt); !begun) {
            co_await give_turn_back();
            show(scrub_state::idle, "the store cannot be read: " + begun.error().message);
            co_return options_.retry;
        }
    }
    co_return co_await read_piece();
}

task<result<milliseconds>> scrubber::read_piece() {
    read_before_ = state_->done;
    show(scrub_state::running, "");
    auto reading = pass_.advance(*state_);
    const auto read = co_await std::move(reading);
    if (!read) {
        show(scrub_state::running, "the store cannot be read: " + read.error().message);
        co_return options_.retry;
    }
    switch (*read) {
        case piece::interrupted:
        case piece::done:
            break;
        case piece::lost:
            state_.reset();
            show(scrub_state::elsewhere, "");
            co_return options_.retry;
        case piece::end:
            if (state_->done.unread == 0) {
                state_->completed_at = options_.now();
                state_->unread.clear();
            }
            options_.log(
                state_->damaged() > 0 || state_->done.unread > 0,
                "scrub: the pass has ended. Bodies that were read: " + std::to_string(state_->done.bodies) +
                    ", damaged: " + std::to_string(state_->damaged()) +
                    ", records that could not be read: " + std::to_string(state_->done.unread));
            if (auto ended = co_await end(); !ended) co_return ended.error();
            co_return milliseconds(0);
    }
    co_await keep(false);
    show(scrub_state::running, "");
    co_return milliseconds(0);
}

}  // namespace gallery::scrub
