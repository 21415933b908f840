// SPDX-License-Identifier: Apache-2.0
/// Documents that were written together: the part of such a write that comes after its commit.
#pragma once

#include <gallery/change_feed.hpp>
#include <gallery/document_store.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gallery::file_store {

/// A journal: a file with all parts of one write. Once it is in its place the write counts as committed, and
/// a start carries out what is still to be done. Its documents are written to their own files afterwards,
/// before anything else is written to one of them; then the journal is removed.
struct group {
    std::string path;                   ///< of the journal
    std::vector<document_write> parts;  ///< saves and erasures, with their revisions
    std::mutex mutex;                   ///< held while it is carried out
    bool is_done = false;               ///< guarded by mutex
};

/// The feed's entry for a save or an erasure, which has its revision.
change change_of(const document_write& part);

/// Groups that are committed and not carried out yet, by the paths of their documents. Thread-safe.
class open_groups {
public:
    void add(const std::shared_ptr<group>& one, const std::vector<std::string>& paths);
    void remove(const std::shared_ptr<group>& one);
    /// Those that contain one of the paths; each once.
    [[nodiscard]] std::vector<std::shared_ptr<group>> of(const std::vector<std::string>& paths) const;
    [[nodiscard]] bool contains(const std::string& path) const;
    [[nodiscard]] std::size_t size() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<group>> by_path_;
};

}  // namespace gallery::file_store
