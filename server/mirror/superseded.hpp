// SPDX-License-Identifier: Apache-2.0
/// The document that marks a store as superseded by another one. No server starts on such a store,
/// unless a switch has made it the store of the server again.
///
/// In a store that several servers can share the document exists before the switch is decided. It is then the
/// claim of the server that performs the switch, and keeps others away: a server registers itself on a store
/// only in one step with the check that the document is absent (require_current()).
#pragma once

#include "mirror/active_store.hpp"

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
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

    friend bool operator==(const successor&, const successor&) = default;
};

successor successor_of(const active_store& decided);

/// Empty if the store has none. Errors: those of the store; corrupt for a document that cannot be read.
task<result<std::optional<successor>>> find_successor(document_store& store);
/// Replaces the one before; writes nothing if it is the same. Errors: those of the store.
task<result<void>> note_successor(document_store& store, successor next);

/// A part of a write that then takes place only if the store has no successor and no claim.
document_write require_current();
/// Notes that the server next.node switches from or to this store. Replaces a claim of that server, and with
/// @p is_target what an earlier switch has noted. Errors: busy if another server has claimed the store or has
/// taken its place; those of the store.
task<result<void>> claim_store(document_store& store, successor next, bool is_target);
/// Erases the claim of @p node, if it is that. Errors: those of the store.
task<result<void>> give_back_store(document_store& store, std::string node);

/// Makes a store that was decided to be the one of the server a store of its own: erases its successor and
/// its mark as a copy. Writes nothing if it has neither. Errors: those of the store.
task<result<void>> release_store(document_store& store);

}  // namespace gallery::mirror
