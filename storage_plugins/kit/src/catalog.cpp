// SPDX-License-Identifier: Apache-2.0
// The idea. Each tenant has two shelves, one per sub type. A shelf keeps its entries in one ranked index per
// list order (an order-statistic tree), which converts between an entry and its position in O(log n). A list
// with system images is not stored in merged form. The position of a tenant's entry in the merged list is its
// own position plus the number of visible system images before it. This sum increases, so a binary search
// finds where a page begins, and two walkers merge the page from there. A text search does not use the
// indexes: it scans the folded texts of the shelf, which are stored one after the other in memory, and sorts
// the matches.
//
// The invariants.
//  - Every entry is in all indexes of its shelf, in by_key and in_order_of_key of its tenant, in by_id, and,
//  if it
//    has a public key, in by_public_key. verify() compares them.
//  - The keys of these maps are views into the entry's record. An entry therefore leaves the maps before its
//  shelf.
//  - shared_with_system contains the keys that both the tenant and the system tenant have. note_key() updates
//  it
//    whenever a key is added or removed.
//
// The cost. Finding by key, id or public key is O(1). A write is O(log n); a new or removed key of the system
// tenant also visits all tenants. A page is O(log² n + page), plus O(log n) per hidden system image. A text
// search reads all folded texts of the shelves, a filter all of their records. Reads share one lock; a write
// holds it alone.
#include <gallery/kit/catalog.hpp>

#include "kept_versions.hpp"
#include "shelf.hpp"

#include <gallery/kit/matcher.hpp>
#include <gallery/kit/merged_page.hpp>
#include <gallery/kit/rules.hpp>
#include <gallery/text.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

namespace gallery::kit {
namespace {

constexpr std::string_view cursor_prefix = "after:";
constexpr std::size_t uuid_length = 36;

/// The images of one tenant. Keys are views into the records of the entries.
struct tenant_images {
    std::array<shelf, 2> shelves;
    std::unordered_map<std::string_view, const entry*> by_key;
    std::map<std::string_view, const entry*> in_order_of_key;
    /// Keys that the system tenant has as well: its images under them are hidden in merged lists.
    std::set<std::string, std::less<>> shared_with_system;

    shelf& shelf_of(const entry& e) { return shelves[static_cast<std::size_t>(e.record().sub_type)]; }
};

/// The system tenant's shelf as one tenant sees it: without what that tenant's own keys hide.
template <class Order>
class visible_system {
    static std::vector<std::size_t> positions_of(const std::vector<const entry*>& hidden,
                                                 const ordered_view<Order>& view) {
        std::vector<std::size_t> positions;
        positions.reserve(hidden.size());
        for (const auto* e : hidden)
            positions.push_back(view.position(*e));
        return positions;
    }

public:
    visible_system(const shelf& images, bool descending, const std::vector<const entry*>& hidden)
        : view_(images, descending), positions_(view_.size(), positions_of(hidden, view_)) {}
    [[nodiscard]] std::size_t size() const { return positions_.size(); }
    [[nodiscard]] const entry* at(std::size_t position) const {
        return view_.at(positions_.whole_position(position));
    }

    class walker {
    public:
        walker(const visible_system& system, std::size_t position)
            : system_(system),
              visible_(position),
              whole_(system.positions_.whole_position(position)),
              walker_(system.view_, whole_) {}
        /// Null at the end.
        [[nodiscard]] const entry* current() const noexcept { return walker_.current(); }
        void next() {
            for (const auto wanted = system_.positions_.whole_position(++visible_); whole_ < wanted; ++whole_)
                walker_.next();
        }

    private:
        const visible_system& system_;
        std::size_t visible_;
        std::size_t whole_;
        typename ordered_view<Order>::walker walker_;
    };

private:
    ordered_view<Order> view_;
    visible_positions positions_;
};

/// What one query runs over: the tenant's shelf and, where asked for, the system's.
struct query_scope {
    const shelf* own = nullptr;
    const shelf* system = nullptr;
    std::vector<const entry*> hidden;  ///< of the system's shelf, in order of address
};

const shelf empty_shelf;

template <class Order>
image_page page_of_all(const image_query& query, const query_scope& scope) {
    const ordered_view<Order> own(scope.own != nullptr ? *scope.own : empty_shelf, query.descending);
    const visible_system<Order> system(scope.system != nullptr ? *scope.system : empty_shelf,
                                       query.descending, scope.hidden);
    image_page page;
    page.total = own.size() + system.size();
    const auto first = first_of(query);
    if (first >= page.total) return page;

    const auto start = start_of_page(first, system.size(), [&](std::uint64_t i) -> result<std::uint64_t> {
        return own.position(*system.at(static_cast<std::size_t>(i)));
    });
    const auto entries_of = [](auto walker) {
        return [walker, is_first = true]() mutable -> result<const entry*> {
            if (!std::exchange(is_first, false)) walker.next();
            return walker.current();
        };
    };
    using own_walker = typename ordered_view<Order>::walker;
    using system_walker = typename visible_system<Order>::walker;
    const auto count = std::min<std::uint64_t>(query.page_size, page.total - first);
    page.images.reserve(static_cast<std::size_t>(count));
    auto merged = merge_lists(
        entries_of(own_walker(own, static_cast<std::size_t>(start->own))),
        entries_of(system_walker(system, static_cast<std::size_t>(start->system))),
        [&](const entry& a, const entry& b) { return own.before(a, b); }, 0, count,
        [&](const entry& e) { page.images.push_back(e.item.record); });
    static_cast<void>(merged);  // nothing here fails
    return page;
}

/// What a selective query finds, in no order.
std::vector<const entry*> found_by(const matcher& wanted, const image_query& query,
                                   const query_scope& scope) {
    std::vector<const entry*> found;
    const auto search = [&](const shelf* where, auto is_visible) {
        if (where == nullptr) return;
        const auto consider = [&](const entry* e) {
            if (is_visible(e) && wanted.passes(e->record())) found.push_back(e);
        };
        if (!wanted.has_text()) {
            for (const auto& e : where->entries)
                consider(&e);
            return;
        }
        auto hits = where->titles.find(wanted.folded_text());
        if (query.search_in == search_scope::names) {
            const auto more = where->names.find(wanted.folded_text());
            hits.insert(hits.end(), more.begin(), more.end());
            std::sort(hits.begin(), hits.end(), std::less<>{});
            hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
        }
        for (auto* tag : hits)
            consider(shelf::entry_of(tag));
    };
    search(scope.own, [](const entry*) { return true; });
    search(scope.system, [&](const entry* e) {
        return !std::binary_search(scope.hidden.begin(), scope.hidden.end(), e, std::less<>{});
    });
    return found;
}

template <class Order>
image_page page_of_found(const image_query& query, std::vector<const entry*> found) {
    image_page page;
    page.total = found.size();
    const auto first = first_of(query);
    if (first >= page.total) return page;
    const auto last = first + std::min<std::uint64_t>(query.page_size, page.total - first);
    const ordered_view<Order> order(empty_shelf, query.descending);
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(last), found.end(),
                      [&](const entry* a, const entry* b) { return order.before(*a, *b); });
    for (auto i = first; i < last; ++i)
        page.images.push_back(found[static_cast<std::size_t>(i)]->item.record);
    return page;
}

template <class Order>
image_page page_by(const image_query& query, const query_scope& scope, const matcher& wanted) {
    if (!wanted.is_selective()) return page_of_all<Order>(query, scope);
    return page_of_found<Order>(query, found_by(wanted, query, scope));
}

}  // namespace

struct catalog::state {
    mutable std::shared_mutex mutex;
    std::map<tenant_id, tenant_images> tenants;
    std::unordered_map<image_id, const entry*> by_id;
    std::unordered_map<std::string_view, const entry*> by_public_key;
    kept_versions kept;

    [[nodiscard]] const tenant_images* tenant(const tenant_id& id) const {
        const auto found = tenants.find(id);
        return found == tenants.end() ? nullptr : &found->second;
    }

    void remove(std::map<tenant_id, tenant_images>::iterator where, const entry* e) {
        auto& images = where->second;
        by_id.erase(e->record().id);
        if (!e->record().public_key.empty()) by_public_key.erase(e->record().public_key);
        images.by_key.erase(e->record().key);
        images.in_order_of_key.erase(e->record().key);
        images.shelf_of(*e).remove(e);
    }

    void keep(const entry& e, const previous_version& rule, revision rev, bool is_erased) {
        kept.add({{e.item.record, rev, rule.time(), is_erased}, e.item.extra});
    }

    /// Keeps shared_with_system right after @p key of @p owner came or went.
    void note_key(const tenant_id& owner, const std::string& key) {
        const auto note = [&](const tenant_id& id, tenant_images& images, bool in_system) {
            if (id == system_tenant) return;
            if (in_system && images.by_key.contains(key))
                images.shared_with_system.insert(key);
            else
                images.shared_with_system.erase(key);
        };
        const auto* system = tenant(system_tenant);
        const bool in_system = system != nullptr && system->by_key.contains(key);
        if (owner == system_tenant) {
            for (auto& [id, images] : tenants)
                note(id, images, in_system);
        } else if (const auto found = tenants.find(owner); found != tenants.end()) {
            note(owner, found->second, in_system);
        }
    }

    [[nodiscard]] query_scope scope_of(const image_query& query) const {
        query_scope scope;
        const auto which = static_cast<std::size_t>(query.sub_type);
        const auto* own = tenant(query.tenant);
        if (own != nullptr) scope.own = &own->shelves[which];
        if (!query.include_system || query.tenant == system_tenant) return scope;
        const auto* system = tenant(system_tenant);
        if (system == nullptr) return scope;
        scope.system = &system->shelves[which];
        if (own == nullptr) return scope;
        for (const auto& key : own->shared_with_system)
            if (const auto* e = system->by_key.at(key); e->record().sub_type == query.sub_type)
                scope.hidden.push_back(e);
        std::sort(scope.hidden.begin(), scope.hidden.end(), std::less<>{});
        return scope;
    }
};

catalog::catalog() : state_(std::make_unique<state>()) {}
catalog::~catalog() = default;

stored catalog::find(const tenant_id& tenant, std::string_view key) const {
    const std::shared_lock lock(state_->mutex);
    const auto* images = state_->tenant(tenant);
    if (images == nullptr) return {};
    const auto found = images->by_key.find(key);
    return found == images->by_key.end() ? stored{} : found->second->item;
}

stored catalog::find_by_id(const image_id& id) const {
    const std::shared_lock lock(state_->mutex);
    const auto found = state_->by_id.find(id);
    return found == state_->by_id.end() ? stored{} : found->second->item;
}

stored catalog::find_by_public_key(std::string_view public_key) const {
    const std::shared_lock lock(state_->mutex);
    const auto found = state_->by_public_key.find(public_key);
    return found == state_->by_public_key.end() ? stored{} : found->second->item;
}

std::vector<record_ptr> catalog::find_by_content(const tenant_id& tenant, const sha256_digest& etag) const {
    std::vector<record_ptr> found;
    const auto by_id = [](const record_ptr& a, const record_ptr& b) { return a->id < b->id; };
    const std::shared_lock lock(state_->mutex);
    const auto* images = state_->tenant(tenant);
    if (images == nullptr) return found;
    for (const auto& part : images->shelves) {
        const auto& index = part.entries.get<by_content>();
        auto at = index.lower_bound(etag, property_less<by_content, sha256_digest>{});
        for (std::size_t taken = 0;
             at != index.end() && at->record().original.etag == etag && taken < image_store::max_same_content;
             ++at, ++taken)
            found.push_back(at->item.record);
    }
    std::sort(found.begin(), found.end(), by_id);
    if (found.size() > image_store::max_same_content) found.resize(image_store::max_same_content);
    return found;
}

stored catalog::find_version(const image_record& record) const {
    const std::shared_lock lock(state_->mutex);
    const auto current = state_->by_id.find(record.id);
    if (current != state_->by_id.end() && current->second->record().content_rev == record.content_rev)
        return current->second->item;
    const auto* kept = state_->kept.find(record.id, record.content_rev);
    return kept == nullptr ? stored{} : stored{kept->version.record, kept->extra};
}

void catalog::put(stored item, previous_version rule) {
    entry fresh{std::move(item), {}, 0, 0};
    fresh.title_key = collation_key(fresh.record().title);
    const auto texts = texts_of(fresh.record());
    const auto rev = fresh.record().rev;
    const auto tenant = fresh.record().tenant;
    const auto key = fresh.record().key;

    const std::unique_lock lock(state_->mutex);
    const auto where = state_->tenants.try_emplace(tenant).first;
    auto& images = where->second;
    const auto old = images.by_key.find(key);
    const bool is_new = old == images.by_key.end();
    if (!is_new) {
        if (rule.is_kept()) state_->keep(*old->second, rule, rev, false);
        state_->remove(where, old->second);
    }
    auto& shelf = images.shelf_of(fresh);
    const auto* added = shelf.add(std::move(fresh), texts);
    images.by_key.emplace(added->record().key, added);
    images.in_order_of_key.emplace(added->record().key, added);
    state_->by_id.emplace(added->record().id, added);
    if (!added->record().public_key.empty()) state_->by_public_key.emplace(added->record().public_key, added);
    if (is_new) state_->note_key(tenant, key);
}

void catalog::erase(const tenant_id& tenant, std::string_view key, previous_version rule, revision rev) {
    const std::unique_lock lock(state_->mutex);
    const auto where = state_->tenants.find(tenant);
    if (where == state_->tenants.end()) return;
    const auto found = where->second.by_key.find(key);
    if (found == where->second.by_key.end()) return;
    const std::string name(key);
    if (rule.is_kept()) state_->keep(*found->second, rule, rev, true);
    state_->remove(where, found->second);
    state_->note_key(tenant, name);
    if (where->second.by_key.empty()) state_->tenants.erase(where);
}

void catalog::put_kept(stored_version item) {
    const std::unique_lock lock(state_->mutex);
    state_->kept.add(std::move(item));
}

stored_version catalog::drop_kept(const image_id& id, revision content_rev) {
    const std::unique_lock lock(state_->mutex);
    return state_->kept.remove(id, content_rev);
}

stored_version catalog::find_kept(const image_id& id, revision content_rev) const {
    const std::shared_lock lock(state_->mutex);
    const auto* found = state_->kept.find(id, content_rev);
    return found == nullptr ? stored_version{} : *found;
}

result<scan_page<kept_version>> catalog::kept(const std::optional<tenant_id>& tenant, kept_order order,
                                              std::string_view cursor, std::size_t limit) const {
    const std::shared_lock lock(state_->mutex);
    return state_->kept.page(tenant, order, cursor, limit);
}

result<scan_page<kept_version>> catalog::kept_of(const image_id& id, std::string_view cursor,
                                                 std::size_t limit) const {
    const std::shared_lock lock(state_->mutex);
    return state_->kept.page_of(id, cursor, limit);
}

std::size_t catalog::images_to_search(const image_query& query) const {
    if (query.text_search.empty() && query.filter == image_filter{}) return 0;
    const std::shared_lock lock(state_->mutex);
    const auto scope = state_->scope_of(query);
    return (scope.own != nullptr ? scope.own->entries.size() : 0) +
           (scope.system != nullptr ? scope.system->entries.size() : 0);
}

result<image_page> catalog::list(const image_query& query) const {
    if (auto wrong = refuse_query(query)) return std::move(*wrong);
    const matcher wanted(query);
    const std::shared_lock lock(state_->mutex);
    const auto scope = state_->scope_of(query);
    switch (query.sort) {
        case image_sort::created_time:
            return page_by<by_created_time>(query, scope, wanted);
        case image_sort::title:
            return page_by<by_title>(query, scope, wanted);
        case image_sort::resource_key:
            return page_by<by_key>(query, scope, wanted);
        case image_sort::size:
            return page_by<by_size>(query, scope, wanted);
        case image_sort::resource_type:
            return page_by<by_id>(query, scope, wanted);
        case image_sort::tenant:
            return page_by<by_tenant>(query, scope, wanted);
    }
    return error{errc::internal, "A list has an unknown order."};
}

result<scan_page<record_ptr>> catalog::scan(std::optional<tenant_id> tenant, std::string_view cursor,
                                            std::size_t limit) const {
    if (limit == 0) return bad_limit();
    std::optional<tenant_id> begin = tenant;
    std::string_view after;
    if (!cursor.empty()) {
        if (!cursor.starts_with(cursor_prefix)) return bad_cursor("images", cursor);
        const auto id = parse_uuid(cursor.substr(cursor_prefix.size(), uuid_length));
        const auto colon = cursor_prefix.size() + uuid_length;
        if (!id || cursor.size() <= colon || cursor[colon] != ':') return bad_cursor("images", cursor);
        if (tenant && *tenant != tenant_id{*id}) return bad_cursor("images", cursor);
        begin = tenant_id{*id};
        after = cursor.substr(colon + 1);
    }

    scan_page<record_ptr> page;
    const std::shared_lock lock(state_->mutex);
    auto where = begin ? state_->tenants.lower_bound(*begin) : state_->tenants.begin();
    for (; where != state_->tenants.end() && (!tenant || where->first == *tenant); ++where) {
        const auto& keys = where->second.in_order_of_key;
        const bool resumes = !cursor.empty() && where->first == *begin;
        for (auto at = resumes ? keys.upper_bound(after) : keys.begin(); at != keys.end(); ++at) {
            if (page.items.size() == limit) {
                const auto& last = *page.items.back();
                page.cursor = std::string(cursor_prefix) + to_string(last.tenant) + ':' + last.key;
                return page;
            }
            page.items.push_back(at->second->item.record);
        }
    }
    return page;
}

std::size_t catalog::size() const {
    const std::shared_lock lock(state_->mutex);
    return state_->by_id.size();
}

std::size_t catalog::kept_size() const {
    const std::shared_lock lock(state_->mutex);
    return state_->kept.size();
}

tenant_usage catalog::count_usage(const std::optional<tenant_id>& tenant) const {
    tenant_usage sums;
    const auto add = [](usage_figures& to, const image_record& record) {
        const auto more = figures_of(record);
        to.count += more.count;
        to.original_bytes += more.original_bytes;
        to.preview_bytes += more.preview_bytes;
    };
    const std::shared_lock lock(state_->mutex);
    for (const auto& [id, e] : state_->by_id)
        if (!tenant || e->record().tenant == *tenant) add(sums.images, e->record());
    state_->kept.for_each([&](const kept_version& version) {
        if (!tenant || version.record->tenant == *tenant) add(sums.kept, *version.record);
    });
    return sums;
}

std::vector<tenant_id> catalog::tenants() const {
    std::set<tenant_id> all;
    const std::shared_lock lock(state_->mutex);
    for (const auto& [id, images] : state_->tenants)
        all.insert(id);
    state_->kept.for_each([&](const kept_version& version) { all.insert(version.record->tenant); });
    return {all.begin(), all.end()};
}

std::uint64_t catalog::verify(std::vector<std::string>& problems) const {
    const std::shared_lock lock(state_->mutex);
    const auto report = [&](const image_record& record, const char* what) {
        if (problems.size() < 1000)
            problems.push_back(std::string(what) + " of " + describe(record.tenant, record.key) +
                               " is not in the index. Restart the server to rebuild the index.");
    };
    std::uint64_t entries = 0;
    std::size_t records = 0;
    for (const auto& [id, images] : state_->tenants) {
        for (const auto& part : images.shelves) {
            entries += part.entries.size() * entry_orders;
            records += part.entries.size();
            for (const auto& e : part.entries) {
                const auto by_id = state_->by_id.find(e.record().id);
                if (by_id == state_->by_id.end() || by_id->second != &e) report(e.record(), "The id");
                const auto key = images.by_key.find(e.record().key);
                if (key == images.by_key.end() || key->second != &e) report(e.record(), "The key");
                if (!e.record().public_key.empty()) {
                    const auto link = state_->by_public_key.find(e.record().public_key);
                    if (link == state_->by_public_key.end() || link->second != &e)
                        report(e.record(), "The public key");
                }
            }
        }
        entries += images.by_key.size();
    }
    entries += state_->by_id.size() + state_->by_public_key.size();
    if (records != state_->by_id.size())
        problems.push_back("The index has " + std::to_string(state_->by_id.size()) + " ids for " +
                           std::to_string(records) + " records. Restart the server to rebuild it.");
    return entries;
}

}  // namespace gallery::kit
