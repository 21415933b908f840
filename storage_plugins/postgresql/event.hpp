// SPDX-License-Identifier: Apache-2.0
/// One change of the store with everything that it changes: what the feed's rows contain, what a write of
/// this process sends, and what the mirror applies.
#pragma once

#include "connection.hpp"

#include <gallery/change_feed.hpp>
#include <gallery/document_store.hpp>
#include <gallery/kit/catalog.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace gallery::postgres {

struct event {
    change::kind what = change::kind::image_saved;
    revision rev = 0;
    uuid write{};  ///< random; the same for all documents of one atomic write
    /// Images and kept versions: saved, updated, erased, kept or dropped. The body is the name of its bytes,
    /// which each save chooses anew.
    kit::stored image;
    revision kept = 0;  ///< as change::kept
    std::int64_t kept_time = 0;
    bool is_erased = false;  ///< version_kept
    document doc;            ///< documents
};

/// Its entry in the feed.
change change_of(const event& from);

/// The parameters of a record and its body, in the order of record_columns.
void encode_record(const image_record& record, const uuid& body, std::vector<parameter>& to);
/// A record from @p row, beginning at @p column.
kit::stored decode_record(const fields& row, std::size_t column);

/// A change in columns of @p row that begin at @p column.
event decode_change(const fields& row, std::size_t column);

/// The answer to statement::changes_after.
struct changes_read {
    revision newest = 0;   ///< of the store
    revision trimmed = 0;  ///< the store has no changes up to this one any more
    std::vector<event> events;
};
changes_read decode_changes(const answer& from, std::size_t which);

}  // namespace gallery::postgres
