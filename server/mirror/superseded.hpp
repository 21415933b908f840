// SPDX-License-Identifier: Apache-2.0
/// The document by which a store says that another one has taken its place. No server starts on such a store,
/// unless a switch has made it the store of the server again.
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

    friend bool operator==(const successor&, const successor&) = default;
};

successor successor_of(const active_store& decided);

/// Empty if the store has none. Errors: those of the store; corrupt for a document that cannot be read.
task<result<std::optional<successor>>> find_successor(document_store& store);
/// Replaces the one before; writes nothing if it is the same. Errors: those of the store.
task<result<void>> note_successor(document_store& store, successor next);
/// Makes a store that was decided to be the one of the server a store of its own: erases its successor and
/// its mark as a copy. Writes nothing if it has neither. Errors: those of the store.
task<result<void>> release_store(document_store& store);

}  // namespace gallery::mirror
