// SPDX-License-Identifier: Apache-2.0
/// Positions in long lists.
///
/// The entries of a list are stored in the index family in list order, so a page is read at its first key.
/// This class finds that key. For each list that was asked for a late page it keeps every few hundredth key
/// (an anchor) with the number of entries from there to the next one. The anchors are built by one pass over
/// the list's keys, and writes keep them up to date. They are in memory only, bounded in bytes.
///
/// Exactness. A reader gets a snapshot and the counts of exactly this snapshot: writes announce their entries
/// before they commit and settle them afterwards, both under the lock under which a reader takes its
/// snapshot. Settled entries are in the snapshot. For entries that are announced and not settled, the reader
/// looks into the snapshot.
///
/// Threads: all functions from any thread; open() reads from the disk.
#pragma once

#include "engine.hpp"

#include <gallery/bounded_lru.hpp>
#include <gallery/mutex.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::rocks {

class page_ranks {
public:
    page_ranks(const engine& db, std::uint64_t bound);

    /// An index key that a write adds or removes.
    struct delta {
        std::string key;
        bool added = true;
    };
    enum class outcome : std::uint8_t {
        committed,
        unchanged,
        unknown,  ///< the lists of the write are forgotten
    };
    using ticket = std::uint64_t;

    /// Before the commit.
    ticket announce(std::vector<delta> deltas);
    /// After it, and before its outcome is returned.
    void settle(ticket which, outcome how);

    /// Counts of one list at one moment.
    class counts {
    public:
        [[nodiscard]] std::uint64_t total() const noexcept { return before_.back(); }
        /// Number of entries with keys less than @p key.
        result<std::uint64_t> rank_of(std::string_view key) const;
        /// The start to reach the entry at @p rank: a key, and how many entries to pass after it.
        /// Precondition: rank < total().
        struct start {
            std::string_view key;
            std::uint64_t skip = 0;
        };
        [[nodiscard]] start start_of(std::uint64_t rank) const;
        [[nodiscard]] const snapshot_ptr& snapshot() const noexcept { return snapshot_; }

    private:
        friend class page_ranks;
        const engine* engine_ = nullptr;
        snapshot_ptr snapshot_;
        std::shared_ptr<const std::vector<std::string>> anchors_;
        std::vector<std::uint64_t> before_;  // entries before each anchor, then the total
    };

    /// The counts of the list with this index prefix, and their snapshot.
    result<counts> open(const std::string& prefix);

    /// Forgets the anchors of a list. For a reader that finds them to differ from the list's counter.
    void drop(const std::string& prefix);

    /// Changes the bound, and forgets lists that exceed it.
    void set_bound(std::uint64_t bound);

    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] std::uint64_t builds() const;

private:
    struct list_state {
        bool building = true;
        bool spoiled = false;  // built from something that is uncertain: do it again
        std::shared_ptr<const std::vector<std::string>> anchors;
        std::vector<std::uint32_t> counts;
        std::string last;                            // no key of the list is greater
        std::vector<std::pair<ticket, delta>> late;  // settled while building
    };
    /// By prefix; a list costs its bytes, and nothing while it is built.
    using list_map = bounded_lru<std::string, list_state, text_hash>;
    using pending_map = std::map<ticket, std::vector<delta>>;

    /// Releases the mutex while it reads the list.
    result<void> build(const std::string& prefix) GALLERY_REQUIRES(mutex_);
    void apply(list_map::entry& list, const delta& change) GALLERY_REQUIRES(mutex_);
    void account(list_map::entry& list) GALLERY_REQUIRES(mutex_);
    /// @p keep stays; null: none.
    void shrink(const list_map::entry* keep) GALLERY_REQUIRES(mutex_);
    [[nodiscard]] std::vector<std::pair<ticket, delta>> pending_of(std::string_view prefix) const
        GALLERY_REQUIRES(mutex_);
    [[nodiscard]] result<bool> present(std::string_view key, const snapshot_ptr& at) const;

    const engine& engine_;
    mutable mutex mutex_;
    condition_variable built_;
    ticket next_ GALLERY_GUARDED_BY(mutex_) = 1;
    pending_map pending_ GALLERY_GUARDED_BY(mutex_);
    list_map lists_ GALLERY_GUARDED_BY(mutex_);
    std::uint64_t builds_ GALLERY_GUARDED_BY(mutex_) = 0;
};

}  // namespace gallery::rocks
