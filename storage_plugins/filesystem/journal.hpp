// SPDX-License-Identifier: Apache-2.0
/// Documents of one write: the part of such a write that comes after its commit.
#pragma once

#include <gallery/change_feed.hpp>
#include <gallery/document_store.hpp>
#include <gallery/mutex.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gallery::file_store {

/// A journal is a file with all parts of one write. The write is committed once the file is in its place, and
/// a start completes the remaining steps. The documents are then written to their own files, before any other
/// write to one of them, and the journal is removed.
struct group {
    std::string path;                   ///< of the journal
    std::vector<document_write> parts;  ///< saves and erasures, with their revisions
    gallery::mutex mutex;               ///< held while it is completed
    bool is_done GALLERY_GUARDED_BY(mutex) = false;
};

/// The feed's entry for a save or an erasure with its revision.
change change_of(const document_write& part);

/// Groups that are committed but not completed, by the paths of their documents. Thread-safe.
class open_groups {
public:
    void add(const std::shared_ptr<group>& one, const std::vector<std::string>& paths);
    void remove(const std::shared_ptr<group>& one);
    /// The groups that contain one of the paths, each once.
    [[nodiscard]] std::vector<std::shared_ptr<group>> of(const std::vector<std::string>& paths) const;
    [[nodiscard]] bool contains(const std::string& path) const;
    [[nodiscard]] std::size_t size() const;

private:
    mutable mutex mutex_;
    std::map<std::string, std::shared_ptr<group>> by_path_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::file_store
