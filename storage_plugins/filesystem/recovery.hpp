// SPDX-License-Identifier: Apache-2.0
/// Reads a tree when a store is opened, and completes or removes writes that a crash interrupted.
#pragma once

#include "journal.hpp"
#include "names.hpp"

#include <gallery/mutex.hpp>
#include <gallery/plugin.hpp>
#include <gallery/storage.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::file_store {

/// The contents of a tree.
struct tree_content {
    std::vector<image_record> images;  ///< in no order
    std::vector<kept_version> kept;    ///< likewise
    std::vector<document> documents;
    /// Documents of one write that may not be in their own files yet, in order of revision. They are also in
    /// documents.
    std::vector<std::shared_ptr<group>> groups;
    /// Erasures with remaining folders, with their revisions; also those of kept versions.
    std::vector<change> erasures;
    revision newest = 0;  ///< the largest revision seen anywhere
    /// Remains of finished erasures; to be removed once the erasures are in the log.
    std::vector<std::string> erased_paths;
};

/// Used once, by one thread, which starts others.
class recovery {
public:
    /// @p logged is the newest change in the log; empty if there is no log. @p give_space frees a little
    /// space, to move an entry on a full disk; false if it cannot.
    recovery(int root, std::optional<revision> logged, log_function log, std::function<bool()> give_space)
        : root_(root), logged_(logged), give_space_(std::move(give_space)), log_(std::move(log)) {}

    /// Damaged entries are left out and set aside. Every other failure to read is an error, because the
    /// unread part would be treated as deleted.
    result<tree_content> read();

private:
    struct task_item {
        std::string tenant;
        std::string name;
    };

    result<std::vector<task_item>> tenants_and_images();
    result<> settle_tenant(const std::string& tenant, std::vector<task_item>& images);

    struct replaced {
        std::string path;
        revision rev;
    };
    result<> settle_replaced(const std::string& tenant, const std::vector<std::string>& names);
    result<> settle_place(const std::string& place, const std::vector<replaced>& remains,
                          std::vector<std::string>& obsolete);
    result<bool> settle_kept(const std::string& tenant, const std::string& name, const kept_facts& facts);

    /// Errors: not_found and corrupt where the record is damaged, all others may be gone at the next attempt.
    result<image_record> read_record(const std::string& folder);
    result<> read_images(const std::vector<task_item>& items);
    result<> read_image(const task_item& item);
    result<> read_kept(const task_item& item, const kept_facts& facts);
    void look_at_files(const std::string& folder, const image_record& record);
    result<> read_documents();
    result<> read_document_folder(const std::string& kind);
    result<> read_document(const std::string& kind, const std::string& name);
    result<> read_journals();
    void overlay(const std::vector<document_write>& parts) GALLERY_REQUIRES(mutex_);
    result<> drop_duplicates();

    result<> note_erasure(const std::string& folder, const std::string& name);
    /// Error: refusal, where it cannot be moved.
    result<> set_aside(const std::string& path, const std::string& why);
    /// The same for what could not be read; a refusal where @p why is no damage.
    result<> set_aside_damaged(const std::string& path, const error& why);
    void warn(const std::string& text);
    void log(log_level which, const std::string& text);
    void clean(const std::string& path);

    [[nodiscard]] static bool is_damage(const error& why);
    /// Why the store is not opened, with what helps.
    [[nodiscard]] static error refusal(const error& why);

    int root_;
    std::optional<revision> logged_;
    std::function<bool()> give_space_;
    mutex mutex_;  ///< taken before log_mutex_
    tree_content content_ GALLERY_GUARDED_BY(mutex_);
    mutex log_mutex_;
    log_function log_ GALLERY_GUARDED_BY(log_mutex_);
    std::size_t warnings_ GALLERY_GUARDED_BY(log_mutex_) = 0;
    std::atomic<std::size_t> cleaned_ = 0;
    std::atomic<std::size_t> kept_aside_ = 0;
};

}  // namespace gallery::file_store
