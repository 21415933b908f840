// SPDX-License-Identifier: Apache-2.0
// The idea. kit::tenant_index contains the names and orders of a tenant's images and answers lists without
// records. This class loads one from the records, passes it each later write, and tells which snapshot of the
// database has exactly the images of a page.
//
// The invariant. The index of a tenant that is ready contains every settled write of the tenant, and of those
// that are announced the ones with is_applied. A write is applied under the lock of the index, and a list
// takes its snapshot under the same lock, so everything that the index contains is in the snapshot. An
// announced write may be in the snapshot without being applied. Its change in the feed, which has its
// revision as its key, shows this; list() then applies it in place of the writer and begins again. It does
// not wait for writers.
//
// A load reads the records at a snapshot, without a lock. Writes that settle after the snapshot are collected
// in `late` and applied at the end, except those that the snapshot already contained. If the outcome of a
// write is unknown, the index is forgotten, or its load is repeated. A tenant with a record that cannot be
// read has no index until its next write; its lists are read from the disk, which handles damage image by
// image.
//
// The cost. A load takes 4 microseconds for each image. A write takes some microseconds and two short locks.
// A list makes one look-up in memory for each write of the tenant that is under way.
#include "search_index.hpp"

#include "codec.hpp"
#include "records.hpp"

#include <gallery/kit/guarded.hpp>
#include <gallery/sub_type.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>

namespace gallery::rocks {
namespace {

/// Tenants with fewer images are loaded by the search that needs the index: about as long as it takes to
/// search so many on the disk a few times.
constexpr std::uint64_t few_images = 5'000;
/// To judge whether an index fits before it is loaded.
constexpr std::uint64_t bytes_per_image = 80;
/// After so many writes of a tenant the bytes of its index are counted again, and after an eighth of its
/// images: a small index can become many times as large by few writes.
constexpr std::uint64_t most_changes_per_count = 4'096;
constexpr std::uint64_t least_changes_per_count = 64;
/// While an index is loaded.
constexpr std::uint64_t rows_per_count = 65'536;
/// As many writes would have to end between two steps of a list.
constexpr int most_attempts = 16;

}  // namespace

search_index::search_index(const engine& db, std::uint64_t bound, log_function log)
    : engine_(db), log_(std::move(log)), bound_(bound), tenants_(bound) {}

search_index::~search_index() {
    is_stopping_.store(true, std::memory_order_relaxed);
    loader_.join();
}

search_index::ticket search_index::announce(write what) {
    const lock_guard lock(mutex_);
    const ticket given = next_++;
    pending_.emplace(given, pending_write{std::move(what), false});
    return given;
}

void search_index::settle(ticket which, outcome how) {
    tenant_map::handle dropped;
    index_ptr index;
    write what;
    {
        const lock_guard lock(mutex_);
        const auto found = pending_.find(which);
        if (how == outcome::unchanged) {
            pending_.erase(found);
            return;
        }
        auto* const tenant = tenants_.peek(found->second.what.tenant);
        bool is_ready = false;
        if (tenant != nullptr) {
            auto& now = tenant->value;
            const bool is_loading = now.state == tenant_state::kind::loading;
            is_ready = now.state == tenant_state::kind::ready;
            if (how == outcome::unknown && is_loading)
                now.is_spoiled = true;
            else if (now.state == tenant_state::kind::damaged || (how == outcome::unknown && is_ready))
                dropped = tenants_.extract(*tenant);
            else if (is_loading && !found->second.is_applied)
                now.late.emplace_back(which, found->second.what);
        }
        if (!is_ready || dropped || found->second.is_applied) {
            pending_.erase(found);
            return;
        }
        index = tenant->value.index;
        what = found->second.what;
    }
    apply(which, index, what);
    {
        const lock_guard lock(mutex_);
        pending_.erase(which);
        auto* const tenant = tenants_.peek(what.tenant);
        if (tenant == nullptr || tenant->value.index != index) return;
        const auto some =
            std::clamp(tenant->cost() / bytes_per_image / 8, least_changes_per_count, most_changes_per_count);
        if (++tenant->value.changes < some) return;
        tenant->value.changes = 0;
    }
    count_bytes(what.tenant, index);
    make_room(what.tenant, index->size());
}

/// Applies an announced write to an index, unless another thread did so.
void search_index::apply(ticket which, const index_ptr& to, const write& what) {
    to->change(what.before.get(), what.after.get(), [&] {
        const lock_guard lock(mutex_);
        const auto found = pending_.find(which);
        return found != pending_.end() && !std::exchange(found->second.is_applied, true);
    });
}

void search_index::count_bytes(const tenant_id& tenant, const index_ptr& index) {
    const auto bytes = index->bytes();
    const lock_guard lock(mutex_);
    if (auto* const found = tenants_.peek(tenant); found != nullptr && found->value.index == index)
        tenants_.recharge(*found, bytes);
}

result<bool> search_index::contains(const snapshot_ptr& at, revision rev) const {
    rocksdb::PinnableSlice value;
    const auto status = engine_.get(family::changes, change_key(rev), value, engine::reach::disk, at);
    if (status.ok()) return true;
    if (status.IsNotFound()) return false;
    return to_error(status, "reading the change feed");
}

result<std::uint64_t> search_index::count(const tenant_id& tenant, const snapshot_ptr& at) const {
    std::uint64_t sum = 0;
    for (const auto& [sub_type, name] : sub_types.entries) {
        const auto some = engine_.number(counter_key(tenant, sub_type), at);
        if (!some) return some.error();
        sum += *some;
    }
    return sum;
}

bool search_index::is_current(const tenant_id& tenant, const index_ptr& index) {
    auto* const found = tenants_.peek(tenant);
    return found != nullptr && found->value.index == index;
}

std::optional<search_index::page> search_index::list(const image_query& query, bool loads) {
    const bool has_system = query.include_system && query.tenant != system_tenant;
    const auto own = ready(query.tenant, loads);
    const auto system = has_system ? ready(system_tenant, loads) : nullptr;
    if (!own || (has_system && !system)) return std::nullopt;

    struct unapplied {
        ticket which;
        write what;
    };
    std::vector<unapplied> waiting;  // in the snapshot, and in no index
    page made;
    bool is_gone = false;
    const auto begin = [&] {
        waiting.clear();
        made.at = engine_.snapshot();
        {
            const lock_guard lock(mutex_);
            is_gone = !is_current(query.tenant, own) || (has_system && !is_current(system_tenant, system));
            if (is_gone) return false;
            for (const auto& [which, pending] : pending_) {
                const auto& tenant = pending.what.tenant;
                if (pending.is_applied) continue;
                if (tenant == query.tenant || (has_system && tenant == system_tenant))
                    waiting.push_back({which, pending.what});
            }
        }
        std::erase_if(waiting, [&](const unapplied& one) {
            const auto is_there = contains(made.at, one.what.rev);
            is_gone = is_gone || !is_there;
            return is_there && !*is_there;
        });
        return waiting.empty();
    };
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        if (auto found = kit::tenant_index::list(*own, system.get(), query, begin)) {
            made.images = std::move(*found);
            return made;
        }
        if (is_gone) return std::nullopt;
        for (const auto& one : waiting)
            apply(one.which, one.what.tenant == query.tenant ? own : system, one.what);
    }
    return std::nullopt;
}

/// The index of a tenant, if it is loaded.
search_index::index_ptr search_index::ready(const tenant_id& tenant, bool loads) {
    std::uint64_t rows_that_did_not_fit = 0;
    {
        const lock_guard lock(mutex_);
        if (auto* const found = tenants_.peek(tenant)) {
            const auto& now = found->value;
            if (now.state == tenant_state::kind::ready) tenants_.use(*found);
            if (now.state != tenant_state::kind::too_large) return now.index;
            rows_that_did_not_fit = now.rows;
        }
        if (!loads || bound_ == 0) return nullptr;
    }
    const auto rows = count(tenant, nullptr);
    if (!rows || *rows * bytes_per_image > bound_) return nullptr;
    tenant_map::handle dropped;
    {
        const lock_guard lock(mutex_);
        if (rows_that_did_not_fit != 0) {
            if (*rows > rows_that_did_not_fit - rows_that_did_not_fit / 10) return nullptr;
            if (auto* const found = tenants_.peek(tenant);
                found != nullptr && found->value.state == tenant_state::kind::too_large)
                dropped = tenants_.extract(*found);
        }
        if (tenants_.peek(tenant) != nullptr) return nullptr;  // another search loads it
        tenants_.put(tenant, tenant_state(), 0);
    }
    if (*rows > few_images) {
        asio::post(loader_, [this, tenant] { load(tenant); });
        return nullptr;
    }
    load(tenant);
    const lock_guard lock(mutex_);
    auto* const found = tenants_.peek(tenant);
    return found == nullptr ? nullptr : found->value.index;
}

/// Loads the index of a tenant that is in tenants_ as loading.
void search_index::load(const tenant_id& tenant) {
    const auto loaded = kit::guarded("rocksdb", [&] { return load_now(tenant); });
    if (loaded) return;
    tenant_map::handle dropped;
    {
        const lock_guard lock(mutex_);
        if (auto* const found = tenants_.peek(tenant)) dropped = tenants_.extract(*found);
    }
    if (!is_stopping_.load(std::memory_order_relaxed))
        log_(log_level::warning, "rocksdb: the images of tenant " + to_string(tenant) +
                                     " cannot be indexed for searches: " + loaded.error().message);
}

/// Error: the tenant is still in tenants_ as loading, which only load() ends.
result<void> search_index::load_now(const tenant_id& tenant) {
    snapshot_ptr at;
    std::vector<std::pair<ticket, revision>> announced;
    {
        const lock_guard lock(mutex_);
        at = engine_.snapshot();
        ++builds_;
        // Those that settled while the load waited for its turn are in the snapshot.
        tenants_.peek(tenant)->value.late.clear();
        for (const auto& [which, pending] : pending_)
            if (pending.what.tenant == tenant) announced.emplace_back(which, pending.what.rev);
    }
    std::vector<ticket> seen;  // announced before the snapshot, and in it
    for (const auto& [which, rev] : announced) {
        const auto is_there = contains(at, rev);
        if (!is_there) return is_there.error();
        if (*is_there) seen.push_back(which);
    }
    const auto made = read(tenant, at);
    at.reset();
    if (!made && made.error().code == errc::too_large) {
        const auto rows = count(tenant, nullptr);
        if (!rows) return rows.error();
        tenant_map::handle dropped;
        const lock_guard lock(mutex_);
        dropped = refuse(tenant, *rows);
        return {};
    }
    if (!made) return made.error();
    const auto& index = *made;
    {
        const lock_guard lock(mutex_);
        for (const auto which : seen)
            if (const auto pending = pending_.find(which); pending != pending_.end())
                pending->second.is_applied = true;
    }
    for (;;) {
        std::vector<std::pair<ticket, write>> late;
        const auto bytes = index ? index->bytes() : 0;
        {
            const lock_guard lock(mutex_);
            auto* const found = tenants_.peek(tenant);
            auto& now = found->value;
            if (now.is_spoiled)
                return error{errc::busy, "whether a write happened is unknown; it is tried again"};
            late = std::exchange(now.late, {});
            if (!index || late.empty()) {
                now.state = index ? tenant_state::kind::ready : tenant_state::kind::damaged;
                now.index = index;
                tenants_.recharge(*found, bytes);
                break;
            }
        }
        for (const auto& [which, what] : late)
            if (std::find(seen.begin(), seen.end(), which) == seen.end())
                index->change(what.before.get(), what.after.get(), [] { return true; });
    }
    if (index) make_room(tenant, index->size());
    return {};
}

/// Drops the indexes of other tenants, the least recently used first, until the rest fits; then this one.
void search_index::make_room(const tenant_id& loaded, std::uint64_t rows) {
    for (;;) {
        tenant_map::handle dropped;  // freed without the lock
        const lock_guard lock(mutex_);
        if (tenants_.cost() <= bound_) return;
        if (auto* const own = tenants_.peek(loaded); own != nullptr && own->cost() > bound_) {
            dropped = refuse(loaded, rows);  // no room that others make would be enough
            continue;
        }
        auto* least = tenants_.oldest();
        while (least != nullptr && (least->cost() == 0 || least->key == loaded))
            least = least->newer();
        if (least != nullptr) {
            dropped = tenants_.extract(*least);
            continue;
        }
        dropped = refuse(loaded, rows);
        return;
    }
}

/// Remembers that so many images of a tenant do not fit. Returns its index, to be freed without the lock.
search_index::tenant_map::handle search_index::refuse(const tenant_id& tenant, std::uint64_t rows) {
    auto* const found = tenants_.peek(tenant);
    if (found == nullptr) return {};
    auto dropped = tenants_.extract(*found);
    tenant_state refused;
    refused.state = tenant_state::kind::too_large;
    refused.rows = rows;
    tenants_.put(tenant, std::move(refused), 0);
    log_(log_level::warning, "rocksdb: the " + std::to_string(rows) + " images of tenant " +
                                 to_string(tenant) +
                                 " do not fit into search_index_bytes; searches read the disk.");
    return dropped;
}

result<search_index::index_ptr> search_index::read(const tenant_id& tenant, const snapshot_ptr& at) const {
    auto made = std::make_shared<kit::tenant_index>(tenant);
    auto cursor =
        engine_.iterate_prefix(family::records, std::string(raw(tenant)), engine::reach::disk_aside, at);
    std::uint64_t rows = 0;
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
        const auto record = decode_record(cursor.key(), cursor.value());
        if (!record) return index_ptr();
        made->load(*record);
        if (++rows % 1'024 == 0 && is_stopping_.load(std::memory_order_relaxed))
            return error{errc::unavailable, "The store is stopping."};
        if (rows % rows_per_count == 0 && made->bytes() > bound_)
            return error{errc::too_large, "the names of the tenant's images do not fit into memory"};
    }
    if (cursor->status().IsCorruption()) return index_ptr();
    if (!cursor->status().ok()) return to_error(cursor->status(), "reading the records");
    const auto counted = count(tenant, at);
    if (!counted) return counted.error();
    if (*counted != rows) return index_ptr();
    made->finish_loading();
    return index_ptr(std::move(made));
}

std::uint64_t search_index::bytes() const {
    const lock_guard lock(mutex_);
    return tenants_.cost();
}

std::uint64_t search_index::tenants() const {
    const lock_guard lock(mutex_);
    return tenants_.size();
}

std::uint64_t search_index::builds() const {
    const lock_guard lock(mutex_);
    return builds_;
}

}  // namespace gallery::rocks
