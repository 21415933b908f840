// SPDX-License-Identifier: Apache-2.0
/// The log of committed changes on the disk: a folder of append-only files.
#pragma once

#include <gallery/kit/feed.hpp>
#include "files.hpp"

#include <gallery/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace gallery::file_store {

/// Not thread-safe: opened by one thread and then used by the committer's thread.
class change_log {
public:
    struct found {
        /// The revision of the last change that was read.
        revision last = 0;
        /// Changes are missing: there was no log, or one is damaged in its middle.
        bool has_lost = false;
        std::vector<std::string> notes;  ///< messages for the operator
    };

    /// @p root stays open as long as this; @p folder exists in it. A log keeps at least @p keep changes.
    change_log(int root, std::string folder, std::size_t keep)
        : root_(root), folder_(std::move(folder)), keep_(keep) {}

    /// Reads all logs into @p target and removes an incomplete end.
    result<found> read(kit::feed& target);

    /// Starts a new log after the read changes, or if history was lost, after @p after. If this fails, the
    /// current log is continued.
    result<> begin(revision after);

    /// Appends the changes and makes them durable: all or none. Error: unavailable if the outcome is unknown;
    /// this must not be called again then.
    result<> append(const std::vector<change>& batch);

    /// Which writes may use the blocks that are reserved for the log.
    enum class room : std::uint8_t {
        image,        ///< leaves some for all others
        small_write,  ///< of a record or a document: leaves some for erasures
        erasure,
    };

    /// Reserves space for this many changes and some more. False if the disk is so full that changes of this
    /// kind should not be appended.
    bool make_room(std::size_t changes, room which);

private:
    struct log_file {
        revision after = 0;
        std::string name;
        std::size_t changes = 0;
    };

    result<> read_one(log_file& file, bool is_last, kit::feed& target, found& so_far);
    result<> use(const log_file& file, std::uint64_t size);
    void drop_old();
    [[nodiscard]] std::string path_of(const log_file& file) const { return folder_ + '/' + file.name; }

    int root_;
    std::string folder_;
    std::size_t keep_;
    std::deque<log_file> files_;  ///< oldest first; the last is being written
    unique_fd current_;
    std::uint64_t size_ = 0;      ///< of the valid part of the current file
    std::uint64_t reserved_ = 0;  ///< bytes that are reserved for it on the disk
    revision last_ = 0;
};

}  // namespace gallery::file_store
