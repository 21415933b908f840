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
    auto taken = co_await claim_all();
    if (!taken) co_await give_back();
    co_return taken;
}

task<result<void>> switch_claims::claim_all() {
    std::vector<std::pair<side*, bool>> shared;  // whether it is the target
    if (others_->can_share(from_.where.address)) shared.emplace_back(&from_, false);
    if (others_->can_share(to_.where.address)) shared.emplace_back(&to_, true);
    if (shared.empty()) co_return result<void>();
    // First, because a claim disturbs other servers.
    for (const auto& [each, is_target] : shared) {
        if (auto alone = co_await others_->check_absent(each->store); !alone) co_return alone;
    }
    for (const auto& [each, is_target] : shared) {
        successor claim{to_.where.plugin, to_.where.address.path, to_.where.identity, now_ms(),
                        others_->id()};
        // Also after an error, which leaves open whether it is stored.
        (is_target ? is_target_claimed_ : is_source_claimed_) = true;
        auto claimed = co_await claim_store(each->store.documents(), std::move(claim), is_target);
        if (!claimed) co_return claimed;
    }
    for (const auto& [each, is_target] : shared) {
        if (auto alone = co_await others_->check_absent(each->store); !alone) co_return alone;
    }
    if (is_target_claimed_) {
        has_joined_ = true;
        if (auto joined = co_await others_->join(to_.store); !joined) co_return joined;
    }
    if (is_source_claimed_) co_return co_await others_->read_theirs();
    co_return result<void>();
}

task<result<void>> switch_claims::give_back() {
    if (is_source_claimed_) {
        const auto given = co_await give_back_store(from_.store.documents(), others_->id());
        report(given, "the store is still claimed for the switch, so no other server starts on it");
    }
    if (is_target_claimed_) {
        const auto given = co_await give_back_store(to_.store.documents(), others_->id());
        report(given, "the mirror is still claimed for the switch, so no server starts on it");
    }
    if (has_joined_) {
        const auto left = co_await others_->leave(to_.store);
        report(left, "the mirror still lists this server");
    }
    is_source_claimed_ = is_target_claimed_ = has_joined_ = false;
    co_return result<void>();
}

task<result<void>> switch_claims::complete(storage_engine& before) {
    if (is_source_claimed_) {
        const auto left = co_await others_->leave(before);
        report(left, "the old store still lists this server");
    }
    if (is_target_claimed_) {
        const auto admitted = co_await others_->admit();
        report(admitted, "the accounts could not be read from the new store yet");
        const auto released = co_await release_store(to_.store.documents());
        report(released, "no other server starts on the new store before the next start of this one");
    }
    is_source_claimed_ = is_target_claimed_ = has_joined_ = false;
    co_return result<void>();
}

}  // namespace gallery::mirror
