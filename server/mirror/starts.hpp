// SPDX-License-Identifier: Apache-2.0
/// The starts of servers on a store, as the store itself lists them.
///
/// A store that is put back at an earlier state (a snapshot, a copy of its files) has the same identity as
/// before, and soon revisions as high as before, but another history. What was written between that state
/// and the moment when it was put back exists only in copies. To recognise this, each start of a server adds
/// itself to a document of the store: a random id, and the newest revision that it found. A copy notes the
/// last start and its position. The store still has the history of the copy if it lists that start, and if
/// the start after it has found the position. The document belongs to the store and is never copied.
#pragma once

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::mirror {

struct store_start {
    std::string id;      ///< random
    revision found = 0;  ///< the newest one in the store, before the server wrote anything

    friend bool operator==(const store_start&, const store_start&) = default;
};

/// Earlier ones are forgotten. A copy that was made before them is refused, unless any source is accepted.
inline constexpr std::size_t max_starts = 1'000;

/// Oldest first; empty if the store lists none. Errors: those of the store; corrupt for a list that cannot be
/// read.
task<result<std::vector<store_start>>> find_starts(document_store& store);

/// Adds a start of now, with a random id. A list that cannot be read is replaced. Errors: those of the store;
/// version_conflict if other servers add theirs all the time.
task<result<void>> add_start(document_store& store, revision found);

/// Whether a store with these starts, of which @p newest is the newest revision, has the history in which a
/// copy noted @p position during @p start. An empty @p start is not checked.
bool has_history(const std::vector<store_start>& starts, revision newest, std::string_view start,
                 revision position);

}  // namespace gallery::mirror
