// SPDX-License-Identifier: Apache-2.0
/// What the store contains, apart from bytes, in this process's memory, at one revision.
#pragma once

#include "event.hpp"

#include <gallery/kit/catalog.hpp>
#include <gallery/kit/documents.hpp>
#include <gallery/kit/feed.hpp>
#include <gallery/kit/usage_book.hpp>

#include <atomic>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace gallery::postgres {

/// The feed of changes keeps it up to date: events are applied in order of their revisions, each once.
///
/// Revisions have an epoch in their high bits (from bit 40), which begins anew on each primary: on a standby
/// that was promoted, and on a copy that was restored. A primary that lacks the newest changes of the one
/// before continues the history before them; the table `history` has where each epoch began, so that
/// positions of the lost part are recognised, and no revision is given out twice.
///
/// The cost. An event is a write to the kit's catalog, O(log n). All records are in memory (kit/catalog.hpp
/// describes how much that is). Loading beside older contents also notes what was loaded, to remove the rest.
///
/// Threads: reading images, documents and usage from any; everything else on the engine's thread.
class mirror {
public:
    explicit mirror(std::size_t changes_kept);

    [[nodiscard]] const kit::catalog& images() const noexcept { return images_; }
    [[nodiscard]] const kit::documents& documents() const noexcept { return documents_; }
    [[nodiscard]] const kit::usage_book& usage() const noexcept { return usage_; }
    /// Of the newest change that it contains.
    [[nodiscard]] revision position() const noexcept { return position_.load(std::memory_order_acquire); }
    /// The newest change of the feed, or the position that the feed begins after where it is empty.
    [[nodiscard]] revision newest_change() const { return feed_.last(); }
    [[nodiscard]] std::size_t changes_kept() const { return feed_.size(); }

    /// Called with a version whose bytes nothing refers to any more.
    void on_drop(std::function<void(const image_record&)> dropped) { dropped_ = std::move(dropped); }
    /// Called after events were applied.
    void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

    /// In order of revision; those up to position() are ignored. Documents of one write become visible
    /// together. @p reached: there is no change up to this revision but these. While a snapshot is loaded
    /// they wait for its end. Precondition: what precedes them was applied.
    void apply(std::vector<event> events, revision reached);

    // ---- histories
    struct beginning {
        std::int64_t epoch = 0;
        revision began_after = 0;  ///< the newest revision of the history that it continues
    };
    void set_history(std::vector<beginning> history) { history_ = std::move(history); }
    /// Of a part of the history that the store does not have any more, or of none that it ever had.
    [[nodiscard]] bool is_lost(revision position) const noexcept;

    /// As change_feed::changes(), without horizon.
    [[nodiscard]] result<change_batch> changes(revision after, std::size_t limit) const;

    // ---- loading a snapshot: begin, everything that it has, end. What the mirror has beside it is removed.
    // One that was begun and not ended can be begun again.
    void begin_load();
    /// From begin_load() to end_load(): the contents are of no one revision.
    [[nodiscard]] bool is_loading() const noexcept { return is_loading_; }
    void load_image(const kit::stored& item);
    void load_version(kit::stored_version item);
    void load_document(document doc);
    /// @p changes: the newest of the feed, in order; @p trimmed: all up to this one are missing.
    void end_load(revision at, revision trimmed, std::vector<change> changes);

private:
    void put(const kit::stored& item, previous_version rule);
    void erase(const image_record& record, previous_version rule, revision rev);
    void drop_version(const image_id& id, revision content_rev);
    void apply_image(const event& one);
    void apply_now(std::vector<event> events, revision reached);

    kit::catalog images_;
    kit::documents documents_;
    kit::usage_book usage_;
    kit::feed feed_;
    std::atomic<revision> position_{0};
    std::vector<beginning> history_;
    std::function<void(const image_record&)> dropped_;
    std::function<void()> changed_;

    /// While a snapshot is loaded over older contents.
    std::unordered_set<image_id> loaded_images_;
    std::unordered_set<kit::version_name, kit::version_name_hash> loaded_versions_;
    std::vector<document> loaded_documents_;
    std::unordered_map<tenant_id, kit::usage_book::difference> loaded_usage_;
    bool replaces_images_ = false;    ///< there are older ones
    bool replaces_versions_ = false;  ///< likewise
    bool is_loading_ = false;
    struct late_events {
        std::vector<event> events;
        revision reached = 0;
    };
    std::vector<late_events> arrived_;  ///< while loading
};

}  // namespace gallery::postgres
