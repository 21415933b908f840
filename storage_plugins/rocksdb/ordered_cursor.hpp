// SPDX-License-Identifier: Apache-2.0
/// Walks one list of one tenant in the order of a query.
#pragma once

#include "engine.hpp"
#include "page_ranks.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace gallery::rocks {

/// One entry of a list, read from its index key alone.
struct list_entry {
    std::string value;  ///< of the property the list is sorted by, as in the index key
    image_id id;
    std::string image_key;
    bool of_system = false;
};

/// The index contains each list once, ascending by value and then by id. A descending list has its values in
/// reverse, but images with the same value still by ascending id. Therefore it goes group by group: the last
/// group from its first entry to its last one, then the group before it.
///
/// Threads: one. Reads from the disk.
class ordered_cursor {
public:
    /// @p total: entries of the list at the snapshot. @p ranks: null if the start is near (every entry before
    /// it is passed one by one); otherwise of the same list and snapshot.
    ordered_cursor(const engine& from, std::string prefix, bool descending, const snapshot_ptr& at,
                   std::uint64_t total, const page_ranks::counts* ranks);

    /// Goes to the entry at @p rank in the order of this cursor. Call once, before next().
    result<void> start(std::uint64_t rank);

    /// The entry and on to the next one; nothing at the end.
    result<std::optional<list_entry>> next();

private:
    enum class mode : std::uint8_t { forward, in_group, backward, ended };

    [[nodiscard]] std::string_view value_here() const;
    result<std::optional<list_entry>> entry_here() const;
    result<void> seek_rank(std::uint64_t rank);
    result<void> start_descending(std::uint64_t rank);
    result<std::optional<list_entry>> next_descending();
    /// Where the iterator is not valid: the end, or a failure.
    result<std::optional<list_entry>> end();

    const engine& engine_;
    const std::string prefix_;
    const bool descending_;
    const std::uint64_t total_;
    const page_ranks::counts* ranks_;
    engine::cursor cursor_;
    mode mode_ = mode::ended;
    std::string group_;  // prefix and value of the group that is walked through
};

}  // namespace gallery::rocks
