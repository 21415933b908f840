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

/// Not thread-safe: opened by one thread and then used by the committer's.
class change_log {
public:
    struct found {
        /// Of the last change that was read.
        revision last = 0;
        /// Changes are missing: there was no log, or one is damaged in its middle.
        bool has_lost = false;
        std::vector<std::string> notes;  ///< what an operator should know
    };

    /// @p root stays open as long as this; @p folder exists in it. A log keeps at least @p keep changes.
    change_log(int root, std::string folder, std::size_t keep)
        : root_(root), folder_(std::move(folder)), keep_(keep) {}

    /// Reads all logs into @p target and cuts off what a crash left half written.
    result<found> read(kit::feed& target);

    /// Begins a new log behind what was read, or where history was lost, with nothing before @p after. Where
    /// it fails, what was being written goes on to be.
    result<> begin(revision after);

    /// Appends the changes and makes them durable: all or none. Error: unavailable where nobody knows; then
    /// this is not called again.
    result<> append(const std::vector<change>& batch);

    /// What may use the blocks that are set aside for the log.
    enum class room : std::uint8_t {
        image,        ///< leaves some for all others
        small_write,  ///< of a record or a document: leaves some for erasures
        erasure,
    };

    /// Sets space aside for so many changes and then some. False where the disk is so full that changes of
    /// this kind should not be appended.
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
    std::uint64_t size_ = 0;      ///< of the current file, as far as it is good
    std::uint64_t reserved_ = 0;  ///< bytes of the disk set aside for it
    revision last_ = 0;
};

}  // namespace gallery::file_store
