// SPDX-License-Identifier: Apache-2.0
/// Keeps other servers away from the stores of a switch while it is in progress.
///
/// Only stores that several servers can share are concerned. The old store must not be written by another
/// server after the decision, because that write would be lost; the new one not before the memory of this
/// server follows it. A check that no other server is there is not enough, because one may start after it.
/// Therefore:
///
///     1  no other server has reported within the last half minute
///     2  the claim is stored: from now on no server registers on the store (superseded.hpp)
///     3  as 1, for those that have registered before 2
///     4  memory takes over what others have written before
///
/// The store orders 2 and each registration, and a server registers before it serves. Each server is thus
/// found by 3 or is refused. A server that has not reported for half a minute counts as gone. If it was only
/// stopped or cut off, it accepts no request after that before it has read the feed, and then finds the
/// claim. A write that it had accepted before can still reach the old store, and is then lost.
#pragma once

#include "mirror/active_store.hpp"
#include "mirror/other_servers.hpp"

#include <gallery/error.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <functional>
#include <string_view>

namespace gallery::mirror {

class switch_claims {
public:
    using log_function = std::function<void(bool is_problem, std::string_view text)>;

    struct side {
        storage_engine& store;
        known_store where;
    };

    /// Both stores outlive it. @p others: null where no store can be shared; otherwise it outlives this.
    switch_claims(other_servers* others, side from, side to, log_function log);

    /// Errors, after which nothing is claimed: busy if other servers are there; those of the stores.
    task<result<void>> take();
    /// After a switch that was given up. Failures are logged.
    task<result<void>> give_back();
    /// After a switch that was decided: @p before is the engine of the old store. Others may use the new
    /// store after this. Failures are logged.
    task<result<void>> complete(storage_engine& before);

    [[nodiscard]] bool has_claimed_target() const noexcept { return is_target_claimed_; }

private:
    task<result<void>> claim_all();
    /// That no other server is there.
    task<result<void>> check(bool is_source_shared, bool is_target_shared);
    void report(const result<void>& done, std::string_view what) const;

    other_servers* others_;
    side from_;
    side to_;
    log_function log_;
    bool is_source_claimed_ = false;
    bool is_target_claimed_ = false;
    bool has_joined_ = false;
};

}  // namespace gallery::mirror
