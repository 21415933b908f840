// SPDX-License-Identifier: Apache-2.0
// The idea. An image is a row (row_pages.hpp) and a packed record under one number of 32 bits, and every
// index consists of such numbers. Each tenant has two shelves, one per sub type. A shelf has its rows in one
// list of numbers per list order (ranked_numbers.hpp), which converts between a row and its position in O(log
// n). Three hash tables of numbers (number_table.hpp) find images by key, id and public key. An index reads
// the property that it compares from the row or the record.
//
// The invariants.
//  - Every image is in all orders of its shelf, in its tenant's order by content, in by_key and in by_id. An
//    image with a public key is also in by_public_key. verify() compares them. An image is removed from the
//    indexes before its page, because they read the page.
//  - shared_with_system contains the keys that both the tenant and the system tenant have. note_key() updates
//    it whenever a key is added or removed.
//
// The cost. Finding by key, id or public key is O(1). Making a record takes half a microsecond, unless it was
// looked up lately. A write is O(log n); a new or removed key of the system tenant also visits all tenants.
// Lists: image_lists.cpp. Memory for a record with texts of 20 bytes, a preview of its own and a name of its
// bytes: 200 bytes for the record, 35 and the names for the row, 30 for the six orders, 20 for the three
// tables and 8 for the place of the record. Loading sorts each order once.
//
// Reads share one lock; a write holds it alone. A search releases it every few pages (row_matches.hpp), and
// lets a write that waits go first: the lock itself would prefer other readers.
#include <gallery/kit/catalog.hpp>

#include "image_lists.hpp"
#include "kept_versions.hpp"
#include "number_table.hpp"
#include "recent_records.hpp"
#include "search_ahead.hpp"
#include "shelf.hpp"

#include <gallery/kit/matcher.hpp>
#include <gallery/kit/rules.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>

namespace gallery::kit {
namespace {

constexpr std::string_view cursor_prefix = "after:";
constexpr std::size_t uuid_length = 36;

struct tenant_images {
    explicit tenant_images(const tenant_id& tenant) : shelves{shelf(tenant), shelf(tenant)} {}

    std::uint32_t number = 0;  ///< of the tenant, in names_of_records
    std::array<shelf, 2> shelves;
    ranked_numbers contents;  ///< by the SHA-256 of the original
    /// Keys that the system tenant has as well: its images under them are hidden in merged lists.
    std::set<std::string, std::less<>> shared_with_system;

    [[nodiscard]] shelf& shelf_of(image_sub_type type) { return shelves[static_cast<std::size_t>(type)]; }
    [[nodiscard]] std::size_t size() const noexcept { return shelves[0].size() + shelves[1].size(); }
};

std::uint64_t hash_of_key(std::uint32_t tenant, std::string_view key) noexcept {
    return mix(std::hash<std::string_view>{}(key) + tenant * 0x9e3779b97f4a7c15ULL);
}
std::uint64_t hash_of_id(const image_id& id) noexcept {
    return mix(std::hash<image_id>{}(id));
}
std::uint64_t hash_of_public_key(std::string_view key) noexcept {
    return mix(std::hash<std::string_view>{}(key));
}

/// Whether an image comes before the place of (@p etag, @p id) in the order by content.
bool is_before_content(const row_view& row, const sha256_digest& etag, const image_id& id) {
    const auto compared = row.record().etag() <=> etag;
    return compared != 0 ? compared < 0 : row.id() < id;
}

/// Images of a tenant in the order of their keys, from both shelves.
class keys_walker {
public:
    /// Begins behind @p after.
    keys_walker(const row_table& table, const tenant_images& images, std::string_view after) : table_(table) {
        for (std::size_t i = 0; i < lists_.size(); ++i) {
            lists_[i] = &images.shelves[i].in_order<by_key>();
            at_[i] = after.empty()
                         ? 0
                         : lists_[i]->lower_bound([&](std::uint32_t e) { return table[e].key() <= after; });
        }
    }
    /// Empty at the end.
    std::optional<row_view> next() {
        std::optional<row_view> first;
        std::size_t from = 0;
        for (std::size_t i = 0; i < lists_.size(); ++i) {
            if (at_[i] == lists_[i]->size()) continue;
            const auto row = table_[(*lists_[i])[at_[i]]];
            if (first && first->record().key() < row.record().key()) continue;
            first.emplace(row);
            from = i;
        }
        if (first) ++at_[from];
        return first;
    }

private:
    const row_table& table_;
    std::array<const ranked_numbers*, 2> lists_{};
    std::array<std::size_t, 2> at_{};
};

void add_figures_of(const image_record& record, usage_figures& to) {
    const auto more = figures_of(record);
    to.count += more.count;
    to.original_bytes += more.original_bytes;
    to.preview_bytes += more.preview_bytes;
}

}  // namespace

struct catalog::state {
    /// Guards all members except `recent`, which has locks of its own. Of the standard library, without
    /// annotations: lock_in_turn() returns a lock that it holds, which clang's analysis does not follow.
    mutable std::shared_mutex mutex;
    /// Guards no member. A write holds it while it waits for `mutex` and holds that; a search takes it for a
    /// moment before each part, so that the write goes first.
    mutable std::mutex turn;
    names_of_records names;
    row_table table;
    std::map<tenant_id, tenant_images> tenants;
    number_table by_key;
    number_table by_id;
    number_table by_public_key;
    kept_versions kept{names};
    mutable recent_records recent;

    /// For a write.
    class exclusive_lock {
    public:
        explicit exclusive_lock(const state& of) : turn_(of.turn), lock_(of.mutex) {}

    private:
        std::lock_guard<std::mutex> turn_;
        std::lock_guard<std::shared_mutex> lock_;
    };
    /// For a part of a search.
    [[nodiscard]] std::shared_lock<std::shared_mutex> lock_in_turn() const {
        const std::lock_guard waits(turn);
        return std::shared_lock(mutex);
    }

    [[nodiscard]] const packed_record& record(std::uint32_t number) const { return table[number].record(); }

    // What the tables need to know about a number.
    [[nodiscard]] auto key_hash() const {
        return [this](std::uint32_t e) { return hash_of_key(record(e).tenant(), record(e).key()); };
    }
    [[nodiscard]] auto id_hash() const {
        return [this](std::uint32_t e) { return hash_of_id(table[e].id()); };
    }
    [[nodiscard]] auto public_key_hash() const {
        return [this](std::uint32_t e) { return hash_of_public_key(record(e).public_key()); };
    }

    [[nodiscard]] const tenant_images* tenant(const tenant_id& id) const {
        const auto found = tenants.find(id);
        return found == tenants.end() ? nullptr : &found->second;
    }
    tenant_images& tenant_for(const tenant_id& id) {
        const auto [where, is_new] = tenants.try_emplace(id, id);
        if (is_new) where->second.number = names.number_of(id);
        return where->second;
    }
    [[nodiscard]] std::optional<std::uint32_t> find(const tenant_images& images, std::string_view key) const {
        return by_key.find(hash_of_key(images.number, key), [&](std::uint32_t e) {
            return record(e).tenant() == images.number && record(e).key() == key;
        });
    }
    [[nodiscard]] std::optional<std::uint32_t> find(const tenant_id& id, std::string_view key) const {
        const auto* images = tenant(id);
        return images == nullptr ? std::nullopt : find(*images, key);
    }
    [[nodiscard]] std::optional<std::uint32_t> find(const image_id& id) const {
        return by_id.find(hash_of_id(id), [&](std::uint32_t e) { return table[e].id() == id; });
    }
    [[nodiscard]] std::optional<std::uint32_t> find_public(std::string_view public_key) const {
        return by_public_key.find(hash_of_public_key(public_key),
                                  [&](std::uint32_t e) { return record(e).public_key() == public_key; });
    }
    [[nodiscard]] stored unpack(const std::optional<std::uint32_t>& e) const {
        if (!e) return {};
        if (auto item = recent.find(*e)) return item;
        auto item = table[*e].unpack(names);
        recent.put(*e, item);
        return item;
    }

    /// Adds an image of a shelf to the tables.
    void register_image(std::uint32_t e) {
        const auto& added = record(e);
        by_key.insert(hash_of_key(added.tenant(), added.key()), e, key_hash());
        by_id.insert(hash_of_id(table[e].id()), e, id_hash());
        if (const auto key = added.public_key(); !key.empty())
            by_public_key.insert(hash_of_public_key(key), e, public_key_hash());
    }
    [[nodiscard]] auto is_before_content_of(std::uint32_t e) const {
        return [this, etag = record(e).etag(), id = table[e].id()](std::uint32_t other) {
            return is_before_content(table[other], etag, id);
        };
    }
    void add(tenant_images& images, image_sub_type type, const row_source& row, packed_record fresh) {
        const auto e = images.shelf_of(type).add(table, row, std::move(fresh));
        images.contents.insert(e, is_before_content_of(e));
        register_image(e);
    }
    /// Whether all images of a tenant are in the order by content.
    [[nodiscard]] bool has_right_contents(const tenant_images& images) const {
        bool is_right = images.contents.size() == images.size();
        std::optional<std::uint32_t> before;
        images.contents.for_each([&](std::uint32_t e) {
            is_right = is_right && table.contains(e) && (!before || is_before_content_of(e)(*before));
            before = e;
            return is_right;
        });
        return is_right;
    }
    packed_record remove(tenant_images& images, std::uint32_t e) {
        const auto& old = record(e);
        by_key.erase(hash_of_key(old.tenant(), old.key()), e, key_hash());
        by_id.erase(hash_of_id(table[e].id()), e, id_hash());
        if (const auto key = old.public_key(); !key.empty())
            by_public_key.erase(hash_of_public_key(key), e, public_key_hash());
        images.contents.erase(e, is_before_content_of(e));
        recent.erase(e);
        return images.shelf_of(old.sub_type()).remove(table, e);
    }

    /// Removes an image and keeps it as a version where the rule says so.
    void end(tenant_images& images, std::uint32_t e, const previous_version& rule, revision rev,
             bool is_erased) {
        const auto row = table[e];
        const auto id = row.id();
        const auto created_time = row.created_time();
        std::string title(rule.is_kept() ? row.title() : std::string_view());
        auto old = remove(images, e);
        if (rule.is_kept())
            kept.add({std::move(old), id, created_time, std::move(title), rev, rule.time(), is_erased});
    }

    /// Keeps shared_with_system right after @p key of @p owner came or went.
    void note_key(const tenant_id& owner, const std::string& key) {
        const auto note = [&](const tenant_id& id, tenant_images& images, bool in_system) {
            if (id == system_tenant) return;
            if (in_system && find(images, key))
                images.shared_with_system.insert(key);
            else
                images.shared_with_system.erase(key);
        };
        const bool in_system = find(system_tenant, key).has_value();
        if (owner == system_tenant) {
            for (auto& [id, images] : tenants)
                note(id, images, in_system);
        } else if (const auto found = tenants.find(owner); found != tenants.end()) {
            note(owner, found->second, in_system);
        }
    }
    /// The same for all keys.
    void note_all_keys() {
        const auto* system = tenant(system_tenant);
        if (system == nullptr) return;
        for (auto& [id, images] : tenants) {
            if (id == system_tenant) continue;
            for (const auto& part : images.shelves)
                table.for_each(part.pages, [&, &images = images](std::uint32_t e) {
                    if (find(*system, record(e).key())) images.shared_with_system.emplace(record(e).key());
                });
        }
    }

    [[nodiscard]] list_part part_of(const tenant_id& id, image_sub_type type) const {
        const auto* images = tenant(id);
        return {&table, images == nullptr ? nullptr : &images->shelves[static_cast<std::size_t>(type)]};
    }
    [[nodiscard]] query_scope scope_of(const image_query& query) const {
        query_scope scope;
        scope.own = part_of(query.tenant, query.sub_type);
        if (!query.include_system || query.tenant == system_tenant) return scope;
        scope.system = part_of(system_tenant, query.sub_type);
        const auto* own = tenant(query.tenant);
        if (scope.system.rows == nullptr || own == nullptr) return scope;
        for (const auto& key : own->shared_with_system)
            if (const auto e = find(system_tenant, key); e && record(*e).sub_type() == query.sub_type)
                scope.hidden.push_back(*e);
        return scope;
    }
    void search_ahead(const image_query& query, const row_selection& by, query_matches& found) const {
        const auto lock = [this] { return lock_in_turn(); };
        const auto search = [&](const tenant_id& id, row_matches& matches) {
            kit::search_ahead(
                lock, [&] { return part_of(id, query.sub_type); }, by, matches);
        };
        search(query.tenant, found.own);
        if (query.include_system && query.tenant != system_tenant) search(system_tenant, found.system);
    }
};

catalog::catalog() : state_(std::make_unique<state>()) {}
catalog::~catalog() = default;

stored catalog::find(const tenant_id& tenant, std::string_view key) const {
    const std::shared_lock lock(state_->mutex);
    return state_->unpack(state_->find(tenant, key));
}

stored catalog::find_by_id(const image_id& id) const {
    const std::shared_lock lock(state_->mutex);
    return state_->unpack(state_->find(id));
}

stored catalog::find_by_public_key(std::string_view public_key) const {
    const std::shared_lock lock(state_->mutex);
    return state_->unpack(state_->find_public(public_key));
}

std::vector<record_ptr> catalog::find_by_content(const tenant_id& tenant, const sha256_digest& etag) const {
    std::vector<record_ptr> found;
    const std::shared_lock lock(state_->mutex);
    const auto* images = state_->tenant(tenant);
    if (images == nullptr) return found;
    const auto& list = images->contents;
    auto at = list.lower_bound([&](std::uint32_t e) { return state_->record(e).etag() < etag; });
    for (; at < list.size() && found.size() < image_store::max_same_content; ++at) {
        const auto row = state_->table[list[at]];
        if (row.record().etag() != etag) break;
        found.push_back(row.unpack(state_->names).record);
    }
    return found;
}

revision catalog::find_content_rev(const tenant_id& tenant, std::string_view key) const {
    const std::shared_lock lock(state_->mutex);
    const auto found = state_->find(tenant, key);
    return found ? state_->record(*found).content_rev() : 0;
}

stored catalog::find_version(const image_record& record) const {
    const std::shared_lock lock(state_->mutex);
    const auto current = state_->find(record.id);
    if (current && state_->record(*current).content_rev() == record.content_rev)
        return state_->unpack(current);
    auto kept = state_->kept.find(record.id, record.content_rev);
    return {std::move(kept.version.record), kept.body};
}

void catalog::put(stored item, previous_version rule) {
    const auto& record = *item.record;
    const row_source row(record);

    const state::exclusive_lock lock(*state_);
    packed_record fresh(item, state_->names);
    auto& images = state_->tenant_for(record.tenant);
    const auto old = state_->find(images, record.key);
    if (old) state_->end(images, *old, rule, record.rev, false);
    state_->add(images, record.sub_type, row, std::move(fresh));
    if (!old) state_->note_key(record.tenant, record.key);
}

void catalog::erase(const tenant_id& tenant, std::string_view key, previous_version rule, revision rev) {
    const std::string name(key);
    const state::exclusive_lock lock(*state_);
    const auto where = state_->tenants.find(tenant);
    if (where == state_->tenants.end()) return;
    const auto found = state_->find(where->second, name);
    if (!found) return;
    state_->end(where->second, *found, rule, rev, true);
    state_->note_key(tenant, name);
    if (where->second.size() == 0) state_->tenants.erase(where);
}

void catalog::begin_loading() {
    const state::exclusive_lock lock(*state_);
    for (auto where = state_->tenants.begin(); where != state_->tenants.end();) {
        auto& images = where->second;
        for (auto& part : images.shelves)
            state_->table.discard(part.loading);
        where = images.size() == 0 ? state_->tenants.erase(where) : std::next(where);
    }
}

void catalog::load(const stored& item) {
    const auto& record = *item.record;
    const row_source row(record);
    const state::exclusive_lock lock(*state_);
    packed_record fresh(item, state_->names);
    auto& shelf = state_->tenant_for(record.tenant).shelf_of(record.sub_type);
    state_->table.add(shelf.loading, row, std::move(fresh));
}

void catalog::finish_loading() {
    const state::exclusive_lock lock(*state_);
    auto& all = *state_;
    std::size_t count = all.by_id.size();
    for (const auto& [id, images] : all.tenants)
        for (const auto& part : images.shelves)
            count += part.loading.rows;
    all.by_key.reserve(count, all.key_hash());
    all.by_id.reserve(count, all.id_hash());
    all.by_public_key.reserve(count, all.public_key_hash());
    for (auto& [id, images] : all.tenants) {
        bool is_changed = false;
        for (auto& part : images.shelves) {
            if (part.loading.rows == 0) continue;
            is_changed = true;
            all.table.for_each(part.loading, [&](std::uint32_t e) { all.register_image(e); });
            part.finish_loading(all.table);
        }
        if (!is_changed) continue;
        std::vector<std::uint32_t> numbers;
        numbers.reserve(images.size());
        for (const auto& part : images.shelves)
            all.table.for_each(part.pages, [&](std::uint32_t e) { numbers.push_back(e); });
        sort_by_content(all.table, numbers);
        images.contents.assign(numbers);
    }
    all.note_all_keys();
}

void catalog::put_kept(stored_version item) {
    const auto& version = item.version;
    const state::exclusive_lock lock(*state_);
    const auto& record = *version.record;
    packed_record packed({version.record, item.body}, state_->names);
    state_->kept.add({std::move(packed), record.id, record.created_time, record.title, version.kept_rev,
                      version.kept_time, version.is_erased});
}

stored_version catalog::drop_kept(const image_id& id, revision content_rev) {
    const state::exclusive_lock lock(*state_);
    return state_->kept.remove(id, content_rev);
}

stored_version catalog::find_kept(const image_id& id, revision content_rev) const {
    const std::shared_lock lock(state_->mutex);
    return state_->kept.find(id, content_rev);
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
    return (scope.own.rows != nullptr ? scope.own.rows->size() : 0) +
           (scope.system.rows != nullptr ? scope.system.rows->size() : 0);
}

result<image_page> catalog::list(const image_query& query) const {
    if (auto wrong = refuse_query(query)) return std::move(*wrong);
    const matcher wanted(query);
    image_record filtered;
    row_selection::row_filter filter;
    if (wanted.has_filter())
        filter = [&](const row_view& row) {
            row.record().unpack_filtered(state_->names, filtered);
            filtered.created_time = row.created_time();
            return wanted.passes(filtered);
        };
    const row_selection by(wanted, query.search_in, std::move(filter));
    query_matches found;
    if (wanted.is_selective()) state_->search_ahead(query, by, found);
    image_page page;
    const auto add = [&](const row_view& row, std::uint32_t, bool) {
        page.images.push_back(row.unpack(state_->names).record);
    };
    const std::shared_lock lock(state_->mutex);
    page.total =
        list_images(state_->scope_of(query), query, wanted.is_selective() ? &by : nullptr, found, add);
    return page;
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
        const bool resumes = !cursor.empty() && where->first == *begin;
        keys_walker walker(state_->table, where->second, resumes ? after : std::string_view());
        while (const auto row = walker.next()) {
            if (page.items.size() == limit) {
                const auto& last = *page.items.back();
                page.cursor = std::string(cursor_prefix) + to_string(last.tenant) + ':' + last.key;
                return page;
            }
            page.items.push_back(row->unpack(state_->names).record);
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
    image_record record;
    const std::shared_lock lock(state_->mutex);
    const auto& all = *state_;
    const auto add = [&](const packed_record& from, usage_figures& to) {
        from.unpack_filtered(all.names, record);
        add_figures_of(record, to);
    };
    for (const auto& [id, images] : all.tenants)
        if (!tenant || id == *tenant)
            for (const auto& part : images.shelves)
                all.table.for_each(part.pages, [&](std::uint32_t e) { add(all.record(e), sums.images); });
    all.kept.for_each([&](const packed_record& version) {
        if (!tenant || all.names.tenant(version.tenant()) == *tenant) add(version, sums.kept);
    });
    return sums;
}

std::vector<tenant_id> catalog::tenants() const {
    std::set<tenant_id> found;
    const std::shared_lock lock(state_->mutex);
    const auto& all = *state_;
    for (const auto& [id, images] : all.tenants)
        found.insert(id);
    all.kept.for_each(
        [&](const packed_record& version) { found.insert(all.names.tenant(version.tenant())); });
    return {found.begin(), found.end()};
}

std::uint64_t catalog::verify(std::vector<std::string>& problems) const {
    const std::shared_lock lock(state_->mutex);
    const auto& all = *state_;
    const auto& table = all.table;
    const auto add = [&](std::string problem) {
        if (problems.size() < 1000)
            problems.push_back(std::move(problem) + " Restart the server to rebuild the index.");
    };
    const auto report = [&](std::uint32_t e, const char* what) {
        add(std::string(what) + " of " + describe(table[e].tenant(), std::string(all.record(e).key())) +
            " is not in the index.");
    };
    const auto report_order = [&](const tenant_id& tenant) {
        add("The images of tenant " + to_string(tenant) + " are not in order.");
    };
    std::uint64_t entries = 0;
    std::size_t records = 0;
    for (const auto& tenant : all.tenants) {
        const auto& images = tenant.second;
        for (const auto& part : images.shelves) {
            records += part.size();
            table.for_each(part.pages, [&](std::uint32_t e) {
                const auto& record = all.record(e);
                if (all.find(table[e].id()) != e) report(e, "The id");
                if (all.find(images, record.key()) != e) report(e, "The key");
                const auto link = record.public_key();
                if (!link.empty() && all.find_public(link) != e) report(e, "The public key");
            });
            part.for_each_index([&](const auto& index) {
                entries += index.numbers.size();
                if (!is_in_order(table, part, index)) report_order(tenant.first);
            });
        }
        entries += images.contents.size();
        if (!all.has_right_contents(images)) report_order(tenant.first);
    }
    entries += all.by_key.size() + all.by_id.size() + all.by_public_key.size();
    if (records != all.by_id.size() || records != all.by_key.size())
        add("The index has " + std::to_string(all.by_id.size()) + " ids and " +
            std::to_string(all.by_key.size()) + " keys for " + std::to_string(records) + " records.");
    return entries;
}

}  // namespace gallery::kit
