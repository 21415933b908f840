// SPDX-License-Identifier: Apache-2.0
#include "mirror/switch_claims.hpp"

#include "mirror/superseded.hpp"

#include <gallery/clock.hpp>

#include <string>
#include <utility>

namespace gallery::mirror {

switch_claims::switch_claims(other_servers* others, side from, side to, log_function log)
    : others_(others), from_(std::move(from)), to_(std::move(to)), log_(std::move(log)) {}

void switch_claims::report(const result<void>& done, std::string_view what) const {
    if (!done) log_(true, std::string(what) + ": " + done.error().message);
}

task<result<void>> switch_claims::take() {
    if (others_ == nullptr) co_return result<void>();
    co_return co_await claim_all();
}

task<result<void>> switch_claims::claim_all() {
    const bool is_source_shared = others_->can_share(from_.where.address);
    const bool is_target_shared = others_->can_share(to_.where.address);
    // First, because a claim disturbs other servers.
    if (auto alone = co_await check(is_source_shared, is_target_shared); !alone) co_return alone;
    const successor claim{to_.where.plugin, to_.where.address.path, to_.where.identity, now_ms(),
                          others_->id()};
    if (is_target_shared) {
        has_joined_ = true;
        if (auto joined = co_await others_->join(to_.store); !joined) co_return joined;
    }
    // Noted before, because an error can leave open whether the claim is stored.
    if (is_source_shared) {
        is_source_claimed_ = true;
        auto claiming = claim_store(from_.store.documents(), claim, false);
        const auto claimed = co_await std::move(claiming);
        if (!claimed) co_return claimed.error();
        source_claim_ = *claimed;
    }
    if (is_target_shared) {
        is_target_claimed_ = true;
        auto claiming = claim_store(to_.store.documents(), claim, true);
        const auto claimed = co_await std::move(claiming);
        if (!claimed) co_return claimed.error();
        target_claim_ = *claimed;
    }
    if (auto alone = co_await check(is_source_shared, is_target_shared); !alone) co_return alone;
    if (is_source_claimed_) co_return co_await others_->read_theirs();
    co_return result<void>();
}

std::optional<document_write> switch_claims::target_condition() const {
    if (!is_target_claimed_) return std::nullopt;
    return require_claim(target_claim_);
}

task<result<void>> switch_claims::confirm(document_store& source) {
    if (!is_source_claimed_) co_return result<void>();
    auto renewing = renew_claim(source, others_->id(), source_claim_, now_ms());
    const auto renewed = co_await std::move(renewing);
    if (!renewed) co_return renewed.error();
    source_claim_ = *renewed;
    co_return result<void>();
}

task<result<void>> switch_claims::check(bool is_source_shared, bool is_target_shared) {
    if (is_source_shared) {
        if (auto alone = co_await others_->check_alone(); !alone) co_return alone;
    }
    if (is_target_shared) co_return co_await others_->check_absent(to_.store);
    co_return result<void>();
}

task<result<void>> switch_claims::give_back(result<void> follows) {
    result<void> out;
    if (is_source_claimed_) {
        auto giving = give_back_store(from_.store.documents(), others_->id());
        const auto given = co_await std::move(giving);
        report(given, "the store is still claimed for the switch, so no other server starts on it");
        is_source_claimed_ = !given;
        if (!given) out = given.error();
    }
    if (is_target_claimed_) {
        auto given = follows;
        if (given) {
            auto giving = give_back_store(to_.store.documents(), others_->id());
            given = co_await std::move(giving);
        }
        report(given, "the mirror is still claimed for the switch, so no server starts on it");
        is_target_claimed_ = !given;
        if (!given) out = given.error();
    }
    if (has_joined_) {
        const auto left = co_await others_->leave(to_.store);
        report(left, "the mirror still lists this server");
    }
    has_joined_ = false;
    co_return out;
}

task<result<void>> switch_claims::complete(storage_engine& before) {
    result<void> out;
    if (is_source_claimed_) {
        const auto left = co_await others_->leave(before);
        report(left, "the old store still lists this server");
    }
    if (is_target_claimed_) {
        const auto admitted = co_await others_->admit();
        report(admitted, "the accounts could not be read from the new store yet");
        const auto released = co_await release_store(to_.store.documents());
        report(released, "the new store is still claimed for the switch, so no other server starts on it");
        out = released;
    }
    is_source_claimed_ = is_target_claimed_ = has_joined_ = false;
    co_return out;
}

}  // namespace gallery::mirror
