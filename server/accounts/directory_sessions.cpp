// SPDX-License-Identifier: Apache-2.0
// Sessions that ended and refresh tokens that were spent, and what is done from time to time.
#include "accounts/directory_internal.hpp"

namespace gallery::accounts {

task<result<void>> directory::end_session(std::string session, tenant_id of) {
    const auto turn = co_await writing_.take(of);
    if (!turn) co_return turn.error();
    ended_session ended;
    ended.id = name_digest(session);
    ended.forget_after = now_() + options_.longest_token_ms;
    const auto id = ended.id;
    if (find<ended_session>(id)) co_return result<void>();
    auto written = co_await write<ended_session>(std::move(ended), {}, true);
    if (written) co_return result<void>();
    if (!is_conflict(written.error())) co_return written.error();
    // Another process ended it, too: what was wanted holds.
    co_return co_await refresh_document(std::string(ended_session::document_kind), id, 0);
}

/// Which use was the first is decided by the store, under the precondition that nobody spent it before.
task<result<directory::spending>> directory::spend_token(std::string token_id, std::int64_t expires_at,
                                                         std::int64_t grace, tenant_id of) {
    const auto turn = co_await writing_.take(of);
    if (!turn) co_return turn.error();
    const auto now = now_();
    spent_token spent;
    spent.id = name_digest(token_id);
    spent.spent_at = now;
    spent.forget_after = expires_at;
    const auto id = spent.id;
    if (!find<spent_token>(id)) {
        auto written = co_await write<spent_token>(std::move(spent), {}, false);
        if (written) co_return spending::first;
        if (!is_conflict(written.error())) co_return written.error();
        auto read = co_await refresh_document(std::string(spent_token::document_kind), id, 0);
        if (!read) co_return read.error();
    }
    const auto known = find<spent_token>(id);
    if (!known) co_return conflict();
    co_return known->spent_at + grace >= now ? spending::again : spending::reused;
}

task<result<void>> directory::record_uses() {
    std::vector<api_key_ptr> used;
    {
        const shared_lock lock(tables_mutex_);
        for (const auto& [id, key] : tables_->of<api_key>()) {
            const auto holder = tables_->find<user>(key->holder);
            if (!holder || holder->deleted) continue;
            if (key->latest_use->load(std::memory_order_relaxed) >= key->last_used + 60'000)
                used.push_back(key);
        }
    }
    for (const auto& key : used) {
        edit<api_key> note = [](api_key& value) -> result<void> {
            // Another process may have seen a later use.
            value.last_used = std::max(value.last_used, value.latest_use->load(std::memory_order_relaxed));
            return {};
        };
        auto done = co_await change_api_key(key->id, std::move(note));
        const bool is_lost = !done && (done.error().code == errc::not_found || is_conflict(done.error()));
        if (!done && !is_lost) co_return done.error();
    }
    co_return result<void>();
}

task<result<void>> directory::forget_expired() {
    const auto now = now_();
    std::vector<api_key_id> orphans;
    std::vector<user_id> tombstones;
    std::vector<std::string> sessions;
    std::vector<std::string> tokens;
    {
        const shared_lock lock(tables_mutex_);
        for (const auto& [id, key] : tables_->of<api_key>()) {
            const auto holder = tables_->find<user>(key->holder);
            // A crash came between the deletion of a user and of the keys.
            if (!holder || holder->deleted) orphans.push_back(id);
        }
        for (const auto& [id, account] : tables_->of<user>()) {
            if (account->deleted && account->forget_after <= now && !options_.keep_tombstones)
                tombstones.push_back(id);
        }
        for (const auto& [id, ended] : tables_->of<ended_session>()) {
            if (ended->forget_after <= now) sessions.push_back(id);
        }
        for (const auto& [id, spent] : tables_->of<spent_token>()) {
            if (spent->forget_after <= now) tokens.push_back(id);
        }
    }
    // Each takes a turn by itself: requests that write must not wait for the whole of this.
    const auto ended = [](const result<void>& done) {
        return done || done.error().code == errc::not_found || is_conflict(done.error());
    };
    for (const auto& id : orphans) {
        if (auto done = co_await erase_one<api_key>(id, true); !ended(done)) co_return done;
    }
    for (const auto& id : tombstones) {
        if (auto done = co_await erase_one<user>(id, true); !ended(done)) co_return done;
    }
    for (const auto& id : sessions) {
        if (auto done = co_await erase_one<ended_session>(id, false); !ended(done)) co_return done;
    }
    for (const auto& id : tokens) {
        if (auto done = co_await erase_one<spent_token>(id, false); !ended(done)) co_return done;
    }
    for (auto& step : orphaned_claims()) {
        const auto turn = co_await writing_.take(system_tenant);
        if (!turn) co_return turn.error();
        auto done = co_await commit(std::move(step));
        if (!done && !is_conflict(done.error())) co_return done.error();
    }
    co_return result<void>();
}

}  // namespace gallery::accounts
