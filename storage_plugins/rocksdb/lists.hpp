// SPDX-License-Identifier: Apache-2.0
/// Pages of images, from an index in memory or from list entries; records are loaded for the page alone.
#pragma once

#include "engine.hpp"
#include "ordered_cursor.hpp"
#include "page_ranks.hpp"
#include "search_index.hpp"

#include <gallery/kit/matcher.hpp>
#include <gallery/kit/merged_page.hpp>
#include <gallery/model.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gallery::rocks {

/// Threads: any; reads from the disk. All that one call returns is of one moment.
class list_reader {
public:
    list_reader(const engine& from, page_ranks& ranks, search_index& searches, log_function log)
        : engine_(from), ranks_(ranks), searches_(searches), log_(std::move(log)) {}

    /// A page leaves out an image with a damaged or missing record and logs this; total counts it.
    /// Precondition: query.page_size >= 1.
    result<image_page> list(const image_query& query) const;

    /// How often an image was left out.
    [[nodiscard]] std::uint64_t omissions() const noexcept {
        return omissions_.load(std::memory_order_relaxed);
    }

    /// Number of a tenant's images of a sub type.
    result<std::uint64_t> count(tenant_id tenant, image_sub_type sub_type, const snapshot_ptr& at) const;

private:
    /// A query with its snapshot.
    struct moment {
        const image_query& query;
        property by;
        std::string prefix;  // of the tenant's list
        bool descending;     // of the list; false where all values are the same
        snapshot_ptr at;
        std::uint64_t own = 0;  // the tenant's entries
        const page_ranks::counts* ranks = nullptr;

        /// Whether @p a comes before @p b in the query's order.
        [[nodiscard]] bool before(const list_entry& a, const list_entry& b) const {
            // The list itself is in order of ids then.
            if (query.sort == image_sort::tenant)
                return kit::comes_before(tenant_of(a), a.id, tenant_of(b), b.id, query.descending);
            return kit::comes_before(a.value, a.id, b.value, b.id, descending);
        }
        [[nodiscard]] const tenant_id& tenant_of(const list_entry& entry) const noexcept {
            return entry.of_system ? system_tenant : query.tenant;
        }
    };

    /// By the index in memory; empty if that cannot answer.
    std::optional<result<image_page>> indexed(const image_query& query, const kit::matcher& matcher) const;
    result<image_page> filtered(const image_query& query, const kit::matcher& matcher,
                                const search_index::page& found) const;
    result<image_page> sorted(const image_query& query) const;
    result<image_page> selected(const image_query& query, const kit::matcher& matcher) const;
    class matches;
    /// Finds by the title lists alone.
    result<void> search_titles(const moment& now, tenant_id tenant, const kit::matcher& matcher,
                               matches& found) const;
    /// Finds by reading all records of the tenant.
    result<void> search_records(const moment& now, tenant_id tenant, const kit::matcher& matcher,
                                matches& found) const;
    result<std::vector<list_entry>> visible_system(const moment& now) const;
    result<std::vector<list_entry>> merged(const moment& now, const std::vector<list_entry>& system,
                                           std::uint64_t offset, std::uint64_t wanted) const;
    result<std::uint64_t> tenant_entries_before(const moment& now, const list_entry& entry) const;
    result<bool> has_record(tenant_id tenant, std::string_view image_key, const snapshot_ptr& at) const;
    result<record_ptr> load(tenant_id tenant, std::string_view image_key, const snapshot_ptr& at) const;
    result<void> add_record(const tenant_id& tenant, std::string_view image_key, const snapshot_ptr& at,
                            std::vector<record_ptr>& to) const;
    void leave_out(const std::string& why) const;
    result<image_page> load_page(const moment& now, const std::vector<list_entry>& entries,
                                 std::uint64_t total) const;

    const engine& engine_;
    page_ranks& ranks_;
    search_index& searches_;
    const log_function log_;
    mutable std::atomic<std::uint64_t> omissions_{0};
};

}  // namespace gallery::rocks
