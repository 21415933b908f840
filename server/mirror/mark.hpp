// SPDX-License-Identifier: Apache-2.0
/// The mark of a copy: a document in the target that contains its source and how far it is. A store with a
/// mark is a copy that may be continued; a server that uses such a store as its own removes the mark first,
/// and refuses a store that is not complete.
#pragma once

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::mirror {

inline constexpr std::string_view mark_kind = "mirror";
inline constexpr const char* mark_id = "state";

/// The steps of a comparing pass, in their order, and then following.
enum class stage : std::uint8_t {
    documents,  ///< all documents of the source
    images,     ///< all images of the source
    surplus,    ///< images and documents that only the target has
    kept,       ///< kept versions
    following,  ///< the pass is complete; changes are applied
};

struct mark {
    std::string source;        ///< name of the store of which the target is a copy
    std::string source_id;     ///< its identity (identity.hpp); empty if it had none
    std::string source_start;  ///< the last start of a server on it (starts.hpp); empty if it lists none
    bool is_complete = false;  ///< the target contains exactly the source as of `position`
    bool is_damaged = false;   ///< except items that the source could not return
    stage at = stage::documents;
    /// The changes of the source up to this revision are applied, or are covered by the rest of the pass.
    revision position = 0;
    /// Entries that the target had out of service when it was complete. They were copied again.
    std::uint64_t set_aside = 0;
    std::int64_t begun_time = 0;    ///< milliseconds since 1970-01-01T00:00Z
    std::int64_t changed_time = 0;  ///< likewise, of the last write of the mark

    friend bool operator==(const mark&, const mark&) = default;
};

struct stored_mark {
    mark value;
    revision rev = 0;
};

std::string to_json(const mark& value);
/// The document that find_mark() reads.
document to_document(const mark& value);
/// Empty for a text that to_json() cannot have returned.
std::optional<mark> parse_mark(std::string_view text);

/// Empty if the store has none. Errors: those of the store; corrupt for a mark that cannot be read.
task<result<std::optional<stored_mark>>> find_mark(document_store& store);

/// Makes a store, of which this server will be the only user, a store of its own: removes the mark of a
/// complete copy, so that no later copy overwrites it. Returns the source's name, empty if there was no mark.
/// Errors: unavailable for a copy that is not complete, and read_only or no_space if the mark cannot be
/// removed, with the remedy; version_conflict if a copy is in progress; those of the store.
task<result<std::string>> take_over(document_store& store);

}  // namespace gallery::mirror
