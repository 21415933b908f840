// SPDX-License-Identifier: Apache-2.0
/// The statements of this engine, prepared on each connection.
#pragma once

#include "values.hpp"

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace gallery::postgres {

enum class statement : std::uint8_t {
    begin,
    begin_snapshot,  ///< repeatable read, read only
    commit,
    rollback,
    // ---- the store as a whole
    lock_state,     ///< -> revision
    read_state,     ///< -> revision, trimmed
    read_history,   ///< -> epoch, began_after; in order
    begin_epoch,    ///< server: begins a new epoch where the store was written by another one last
    advance,        ///< new revision, revision before, number of changes between
    beat,           ///< node
    replication,    ///< -> synchronous_standby_names, synchronous_commit as configured
    changes_after,  ///< revision, limit -> revision and trimmed, then a change or nulls (see event.hpp)
    find_writes,    ///< revision, writes -> those of them that are in the feed behind it
    // ---- images
    put_image,     ///< write, kind, kept, kept_time, then a record and its body
    keep_image,    ///< tenant, key, kept_rev, kept_time, is_erased
    erase_image,   ///< write, rev, kept, kept_time, tenant, key
    put_version,   ///< write, kept_time, is_erased, then a record and its body
    drop_version,  ///< write, rev, id, content_rev
    // ---- bodies
    put_body,     ///< id, part, seq, data
    read_body,    ///< id, part -> data; in order
    drop_body,    ///< id
    stage,        ///< id
    unstage,      ///< id
    find_staged,  ///< ids -> those of them that are staged; locked
    // ---- documents
    put_document,    ///< write, kind, id, body, rev
    erase_document,  ///< write, kind, id, rev
    // ---- upkeep
    notify,  ///< channel, payload
    count_
};

inline constexpr std::size_t statement_count = static_cast<std::size_t>(statement::count_);

const char* name_of(statement which) noexcept;
const std::string& text_of(statement which);

/// The columns of a record in the tables `image`, `kept` and `change`, in the order of encode_record().
extern const std::string record_columns;
inline constexpr int record_column_count = 25;

/// Statements that are sent together, without waiting for the answer of one before sending the next.
class batch {
public:
    struct query {
        statement what = statement::count_;
        std::string text;  ///< where it is none of the prepared ones
        std::vector<parameter> parameters;
    };

    /// Returns the place of its answer.
    std::size_t add(statement what, std::vector<parameter> parameters = {}) {
        queries_.push_back({what, {}, std::move(parameters)});
        return queries_.size() - 1;
    }
    std::size_t add(std::string text, std::vector<parameter> parameters = {}) {
        queries_.push_back({statement::count_, std::move(text), std::move(parameters)});
        return queries_.size() - 1;
    }
    [[nodiscard]] const std::vector<query>& queries() const noexcept { return queries_; }
    [[nodiscard]] std::size_t size() const noexcept { return queries_.size(); }

private:
    std::vector<query> queries_;
};

}  // namespace gallery::postgres
