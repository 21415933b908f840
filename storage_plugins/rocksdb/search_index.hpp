// SPDX-License-Identifier: Apache-2.0
/// Lists and searches in memory, for tenants that were searched or asked for late pages.
///
/// The first such list of a tenant loads its index (kit/tenant_index.hpp): at once if it has few images,
/// otherwise on a thread of its own, while lists and searches read from the disk as before. Afterwards writes
/// keep it up to date. Indexes are in memory only, bounded in bytes together; the one that was not used for
/// the longest time is dropped.
///
/// Exactness. A page and the snapshot that its records are read from are of one moment. Writes announce
/// themselves before they commit and settle afterwards, as for page_ranks.
///
/// Threads: all functions from any thread; list() reads from the disk.
#pragma once

#include "engine.hpp"

#include <gallery/bounded_lru.hpp>
#include <gallery/kit/tenant_index.hpp>
#include <gallery/mutex.hpp>

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace gallery::rocks {

class search_index {
public:
    /// @p bound: bytes of all indexes; 0: there are none.
    search_index(const engine& db, std::uint64_t bound, log_function log);
    ~search_index();

    /// A write of one record in place of another; either may be null.
    struct write {
        tenant_id tenant;
        revision rev = 0;
        record_ptr before;
        record_ptr after;
    };
    enum class outcome : std::uint8_t {
        committed,
        unchanged,
        unknown,  ///< the index of the tenant is forgotten
    };
    using ticket = std::uint64_t;

    /// Before the commit.
    ticket announce(write what);
    /// After it, and before its outcome is returned.
    void settle(ticket which, outcome how);

    struct page {
        kit::listed_page images;
        snapshot_ptr at;  ///< contains the records of exactly these images
    };
    /// The query's page; empty if an index is missing. Then that is loaded, if @p loads and there is room for
    /// it. Preconditions: as for kit::tenant_index::list().
    std::optional<page> list(const image_query& query, bool loads);

    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] std::uint64_t tenants() const;
    [[nodiscard]] std::uint64_t builds() const;

private:
    using index_ptr = std::shared_ptr<kit::tenant_index>;
    struct pending_write {
        write what;
        bool is_applied = false;  ///< the index of its tenant contains it
    };
    struct tenant_state {
        enum class kind : std::uint8_t { loading, ready, damaged, too_large };
        kind state = kind::loading;
        bool is_spoiled = false;                     ///< while loading: the outcome of a write is unknown
        index_ptr index;                             ///< if ready
        std::vector<std::pair<ticket, write>> late;  ///< settled while loading
        std::uint64_t rows = 0;                      ///< if too large
        std::uint32_t changes = 0;                   ///< since its bytes were counted
    };
    using tenant_map = bounded_lru<tenant_id, tenant_state>;

    [[nodiscard]] index_ptr ready(const tenant_id& tenant, bool loads);
    [[nodiscard]] bool is_current(const tenant_id& tenant, const index_ptr& index) GALLERY_REQUIRES(mutex_);
    void load(const tenant_id& tenant);
    result<void> load_now(const tenant_id& tenant);
    /// Null if a record cannot be read.
    [[nodiscard]] result<index_ptr> read(const tenant_id& tenant, const snapshot_ptr& at) const;
    void make_room(const tenant_id& loaded, std::uint64_t rows);
    tenant_map::handle refuse(const tenant_id& tenant, std::uint64_t rows) GALLERY_REQUIRES(mutex_);
    void apply(ticket which, const index_ptr& to, const write& what);
    void count_bytes(const tenant_id& tenant, const index_ptr& index);
    [[nodiscard]] result<bool> contains(const snapshot_ptr& at, revision rev) const;
    [[nodiscard]] result<std::uint64_t> count(const tenant_id& tenant, const snapshot_ptr& at) const;

    const engine& engine_;
    const log_function log_;
    std::atomic<bool> is_stopping_{false};
    mutable mutex mutex_;  // taken after the locks of indexes
    ticket next_ GALLERY_GUARDED_BY(mutex_) = 1;
    std::map<ticket, pending_write> pending_ GALLERY_GUARDED_BY(mutex_);
    const std::uint64_t bound_;
    tenant_map tenants_ GALLERY_GUARDED_BY(mutex_);
    std::uint64_t builds_ GALLERY_GUARDED_BY(mutex_) = 0;
    asio::thread_pool loader_{1};
};

}  // namespace gallery::rocks
