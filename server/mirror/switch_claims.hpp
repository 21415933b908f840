// SPDX-License-Identifier: Apache-2.0
/// Keeps other servers away from the stores of a switch while it is in progress.
///
/// Only stores that several servers can share are concerned. The old store must not be written by another
/// server after the decision, because that write would be lost; the new one not before the memory of this
/// server follows it. A check that no other server is there is not enough, because one may start after it.
/// Therefore:
///
///     1  no other server has reported within the last half minute
///     2  this server registers on the target, so that whoever finds the claim there sees that it is alive
///     3  the claim is stored: from now on no server registers on the store (superseded.hpp)
///     4  as 1, for those that have registered before 3
///     5  memory takes over what others have written before
///     6  in the write that makes the target complete, and in a last one to the source: the claims are held
///
/// The store orders 3 and each registration, and a server registers before it serves. Each server is thus
/// found by 4 or is refused. A server that has not reported for half a minute counts as gone. If it was only
/// stopped or cut off, it accepts no request after that before it has read the feed, and then finds the
/// claim. A write that it had accepted before can still reach the old store, and is then lost.
///
/// An operator can take the claim of a lost server away (gallery-admin reinstate). If that server was only
/// stopped or cut off, it finds this in 6 and gives the switch up. Between 6 and the decision it only writes
/// a small file.
#pragma once

#include "mirror/active_store.hpp"
#include "mirror/other_servers.hpp"

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <functional>
#include <optional>
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

    /// After an error, give_back() is required, too. Errors: busy if other servers are there; those of the
    /// stores.
    task<result<void>> take();
    /// The claim of the target, for the write that makes it complete. Empty if it is not claimed.
    [[nodiscard]] std::optional<document_write> target_condition() const;
    /// The last step before the decision. @p source writes to the source while its gate is sealed. Errors:
    /// version_conflict if its claim was taken away; those of the store.
    task<result<void>> confirm(document_store& source);
    /// After a switch that was given up. @p follows: an error if the mark of the target may still say that it
    /// is complete. Then its claim stays, because another server could start on it. Errors: that one, those
    /// of the stores; what could not be given back is still claimed.
    task<result<void>> give_back(result<void> follows);
    /// After a switch that was decided: @p before is the engine of the old store. Others may use the new
    /// store after this. Errors: those of the new store if it is still claimed; others are logged.
    task<result<void>> complete(storage_engine& before);

    [[nodiscard]] bool has_claimed_source() const noexcept { return is_source_claimed_; }
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
    revision source_claim_ = 0;  ///< 0: not known to be stored
    revision target_claim_ = 0;
};

}  // namespace gallery::mirror
