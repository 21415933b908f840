// SPDX-License-Identifier: Apache-2.0
/// The switch: makes a mirror that follows the store of the server.
///
/// Its steps, in this order:
///
///     1  the writes wait, and those that have begun end
///     2  the changes are applied to the end of the feed; the mark states that the target is complete
///     3  the counts and sizes of both stores are compared, and the items that were written last; the claims
///        of shared stores are still held
///     4  the limit of the time is removed, if it was not reached
///     5  the file of the active store is replaced                         <- the decision
///     6  the engine is exchanged
///     7  the target becomes a store of its own: without mark and successor, with a start of its history
///     8  the old store gets its successor
///     9  the writes go on, on the new store
///
/// Everything else was compared before step 1, while writes went on (switch_check.hpp).
///
/// If the target can be shared by several servers, the successor of 7 is erased later, by
/// switch_claims::complete(); 8 then replaces the claim of the old store, if that can be shared.
///
/// Until 5 the switch may be given up, and nothing has changed. A crash leaves the old store as the store of
/// the server; the target is continued as its mirror. From 5 on the new store is the one of the server, also
/// after a crash. A restart repeats 7 and 8. Both stores are equal from 2 to 9, so it does not matter which
/// of them a crash leaves, as long as it is one. Steps 7 and 8 are no condition of this: if they fail, that
/// is logged, and they are repeated when the server starts and when the old store is opened as the mirror.
#pragma once

#include "mirror/active_store.hpp"
#include "mirror/copier.hpp"
#include "mirror/served_store.hpp"
#include "mirror/switch_check.hpp"
#include "mirror/switch_claims.hpp"

#include <gallery/error.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gallery::mirror {

/// What a switch works on. All of it outlives the switch.
struct switch_parts {
    served_store& served;
    copier& all;                             ///< of the target; follows the store of the server
    std::shared_ptr<storage_engine> target;  ///< as served_store::exchange() requires it
    switch_check& check;                     ///< has passed; of the copier
    known_store from;                        ///< the store of the server, with its identity
    known_store to;                          ///< the target, likewise
    std::string active_file;
    switch_claims& claims;              ///< taken; a claimed target stays claimed until after the switch
    std::chrono::milliseconds longest;  ///< how long writes wait before the switch is given up
    std::function<void(bool is_problem, std::string_view text)> log;
};

struct switched {
    active_store decided;
    std::shared_ptr<storage_engine> before;  ///< the engine of the old store
    /// The old store contains the new one as of this revision of the new one.
    revision position = 0;
    std::chrono::nanoseconds held{};  ///< how long writes waited at most
};

/// Runs on one thread, which it blocks for the file. Errors: busy if the time was exceeded; corrupt if
/// the stores differ in their counts or in what was written last; version_conflict if a claim was taken away;
/// those of the copier, of the stores and of the file before the decision. After an error the old store is
/// the one of the server. Precondition: served_store::can_be() the target.
task<result<switched>> switch_store(switch_parts parts);

}  // namespace gallery::mirror
