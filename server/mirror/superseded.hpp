// SPDX-License-Identifier: Apache-2.0
/// The document that marks a store as superseded by another one. No server starts on such a store,
/// unless a switch has made it the store of the server again.
///
/// In a store that several servers can share the document exists before the switch is decided. It is then the
/// claim of the server that performs the switch, and keeps others away: a server registers itself on a store
/// only in one step with the check that the document is absent (require_current()). The claim of a target
/// contains the document that it replaces, so that one write puts that back.
#pragma once

#include "mirror/active_store.hpp"

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::mirror {

inline constexpr std::string_view superseded_kind = "superseded";

/// The store that has taken the place. Without options, which may be secret.
struct successor {
    std::string engine;
    std::string path;
    std::string identity;
    std::int64_t since = 0;  ///< of the switch, milliseconds since 1970-01-01T00:00Z
    std::string node;        ///< of a claim: the server that performs the switch; empty after the decision
    /// Of a claim: the document that it has replaced, as it was stored; empty if there was none.
    std::string replaced;

    friend bool operator==(const successor&, const successor&) = default;
};

struct stored_successor {
    successor value;
    revision rev = 0;
};

successor successor_of(const active_store& decided);

/// Empty if the store has none. Errors: those of the store; corrupt for a document that cannot be read.
task<result<std::optional<successor>>> find_successor(document_store& store);
task<result<std::optional<stored_successor>>> find_stored_successor(document_store& store);
/// Replaces the one before; writes nothing if it is the same. Errors: those of the store.
task<result<void>> note_successor(document_store& store, successor next);

/// A part of a write that then takes place only if the store has no successor and no claim.
document_write require_current();
/// The same, only if the claim that was stored with this revision is unchanged.
document_write require_claim(revision rev);

/// Notes that the server next.node switches from or to this store. Replaces a claim of that server, and with
/// @p is_target what an earlier switch has noted; the claim then contains that. Returns its revision.
/// Errors: busy if another server has claimed the store or has taken its place; those of the store.
task<result<revision>> claim_store(document_store& store, successor next, bool is_target);
/// Writes the claim of @p node again with the time @p now, only if it is still the one of this revision.
/// Returns the next revision. Errors: version_conflict if the claim was taken away; those of the store.
task<result<revision>> renew_claim(document_store& store, std::string node, revision rev, std::int64_t now);
/// Puts back, in one write, what the claim of @p node has replaced. Does nothing without such a claim.
/// Errors: those of the store.
task<result<void>> give_back_store(document_store& store, std::string node);

/// Makes a store that was decided to be the one of the server a store of its own: erases its successor and
/// its mark as a copy. Writes nothing if it has neither. Errors: those of the store.
task<result<void>> release_store(document_store& store);
/// The same for a successor that was found with this revision (0: there was none), under a further condition.
/// Errors, besides: version_conflict if the store has another successor now, or the condition is not met.
task<result<void>> release_store(document_store& store, revision known, document_write condition);

}  // namespace gallery::mirror
