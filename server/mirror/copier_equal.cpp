// SPDX-License-Identifier: Apache-2.0
// Targets that were the source before a switch.
#include "mirror/copier.hpp"
#include "mirror/identity.hpp"
#include "mirror/superseded.hpp"

#include <gallery/clock.hpp>

#include <utility>

namespace gallery::mirror {

task<result<void>> copier::begin_equal(revision position) {
    if (auto sound = co_await check_source(); !sound) co_return sound;
    if (auto read = co_await read_starts(); !read) co_return read;
    const auto known = co_await find_mark(work_.to.documents());
    if (!known) co_return of_target(known.error());
    mark next;
    next.source = source_name_;
    next.source_id = source_id_;
    next.at = stage::following;
    next.position = position;
    next.begun_time = now_ms();
    mark_rev_ = known->has_value() ? (*known)->rev : 0;
    if (auto stored = co_await store_mark(std::move(next)); !stored) co_return stored;
    // Nothing is missing because of what the source has out of service now: the target is equal.
    work_.absent.disregard(entries_set_aside(work_.from).value_or(0));
    follows_versions_ = true;
    co_return co_await count();
}

task<result<bool>> copier::is_expected() {
    const auto by = co_await find_successor(work_.to.documents());
    if (!by) co_return of_target(by.error());
    if (by->has_value() && !source_id_.empty() && (*by)->identity == source_id_) co_return true;
    if (expected_identity_.empty()) co_return false;
    const auto identity = co_await find_identity(work_.to.documents());
    if (!identity) co_return of_target(identity.error());
    co_return *identity == expected_identity_;
}

}  // namespace gallery::mirror
