// SPDX-License-Identifier: Apache-2.0
// The idea. An entry is a packed record with a number of 32 bits, and every index consists of such numbers.
// Each tenant has two shelves, one per sub type. A shelf has its entries in one list of numbers per list
// order (ranked_numbers.hpp), which converts between an entry and its position in O(log n). Three hash tables
// of numbers (number_table.hpp) find entries by key, id and public key. An index reads the property that it
// compares from the entry.
//
// The invariants.
//  - Every entry is in all indexes of its shelf, in by_key, in by_id, and, if it has a public key, in
//    by_public_key. verify() compares them. An entry leaves the indexes before its page, because they read
//    it.
//  - shared_with_system contains the keys that both the tenant and the system tenant have. note_key() updates
//    it whenever a key is added or removed.
//
// The cost. Finding by key, id or public key is O(1). Making a record takes half a microsecond, unless it was
// looked up lately. A write is O(log n); a new or removed key of the system tenant also visits all tenants.
// Lists: image_lists.cpp. Memory for a record with texts of 20 bytes, a preview of its own and a name of its
// bytes: 256 bytes for the record, 30 for the six orders, 20 for the three tables, 10 for the number and 60
// for the folded texts. Loading sorts each order once. Reads share one lock; a write holds it alone.
#include <gallery/kit/catalog.hpp>

#include "image_lists.hpp"
#include "kept_versions.hpp"
#include "number_table.hpp"
#include "recent_records.hpp"
#include "shelf.hpp"

#include <gallery/kit/matcher.hpp>
#include <gallery/kit/rules.hpp>
#include <gallery/text.hpp>

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
    std::uint32_t number = 0;  ///< of the tenant, in names_of_records
    std::array<shelf, 2> shelves;
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

/// Entries of a tenant in the order of their keys, from both shelves.
class keys_walker {
public:
    /// Begins behind @p after.
    keys_walker(const entry_table& table, const tenant_images& images, std::string_view after)
        : table_(table) {
        for (std::size_t i = 0; i < lists_.size(); ++i) {
            lists_[i] = &images.shelves[i].in_order<by_key>();
            at_[i] = after.empty()
                         ? 0
                         : lists_[i]->lower_bound([&](std::uint32_t e) { return table[e].key() <= after; });
        }
    }
    /// Null at the end.
    const packed_record* next() {
        const packed_record* first = nullptr;
        std::size_t from = 0;
        for (std::size_t i = 0; i < lists_.size(); ++i) {
            if (at_[i] == lists_[i]->size()) continue;
            const auto& e = table_[(*lists_[i])[at_[i]]];
            if (first == nullptr || e.key() < first->key()) first = &e, from = i;
        }
        if (first != nullptr) ++at_[from];
        return first;
    }

private:
    const entry_table& table_;
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

searched_texts texts_of(const image_record& record) {
    // 0xFF does not occur in UTF-8, so no match can span both texts.
    searched_texts texts{fold_case(record.title), fold_case(record.key)};
    if (record.file_name != record.key) texts.names += '\xff' + fold_case(record.file_name);
    // Without NUL by contract; one would move the texts of other entries.
    for (auto* text : {&texts.title, &texts.names})
        std::replace(text->begin(), text->end(), '\0', '\xff');
    return texts;
}

struct catalog::state {
    mutable std::shared_mutex mutex;
    entry_table table;
    std::map<tenant_id, tenant_images> tenants;
    number_table by_key;
    number_table by_id;
    number_table by_public_key;
    kept_versions kept{table.names};
    mutable recent_records recent;

    // What the tables need to know about a number.
    [[nodiscard]] auto key_hash() const {
        return [this](std::uint32_t e) { return hash_of_key(table[e].tenant(), table[e].key()); };
    }
    [[nodiscard]] auto id_hash() const {
        return [this](std::uint32_t e) { return hash_of_id(table[e].id()); };
    }
    [[nodiscard]] auto public_key_hash() const {
        return [this](std::uint32_t e) { return hash_of_public_key(table[e].public_key()); };
    }

    [[nodiscard]] const tenant_images* tenant(const tenant_id& id) const {
        const auto found = tenants.find(id);
        return found == tenants.end() ? nullptr : &found->second;
    }
    tenant_images& tenant_for(const tenant_id& id) {
        const auto [where, is_new] = tenants.try_emplace(id);
        if (is_new) where->second.number = table.names.number_of(id);
        return where->second;
    }
    [[nodiscard]] std::optional<std::uint32_t> find(const tenant_images& images, std::string_view key) const {
        return by_key.find(hash_of_key(images.number, key), [&](std::uint32_t e) {
            return table[e].tenant() == images.number && table[e].key() == key;
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
                                  [&](std::uint32_t e) { return table[e].public_key() == public_key; });
    }
    [[nodiscard]] stored unpack(const std::optional<std::uint32_t>& e) const {
        if (!e) return {};
        if (auto item = recent.find(*e)) return item;
        auto item = table[*e].unpack(table.names);
        recent.put(*e, item);
        return item;
    }

    /// Adds an entry of a shelf to the tables.
    void register_entry(std::uint32_t e) {
        const auto& added = table[e];
        by_key.insert(hash_of_key(added.tenant(), added.key()), e, key_hash());
        by_id.insert(hash_of_id(added.id()), e, id_hash());
        if (const auto key = added.public_key(); !key.empty())
            by_public_key.insert(hash_of_public_key(key), e, public_key_hash());
    }
    packed_record remove(tenant_images& images, std::uint32_t e) {
        const auto& old = table[e];
        by_key.erase(hash_of_key(old.tenant(), old.key()), e, key_hash());
        by_id.erase(hash_of_id(old.id()), e, id_hash());
        if (const auto key = old.public_key(); !key.empty())
            by_public_key.erase(hash_of_public_key(key), e, public_key_hash());
        recent.erase(e);
        return images.shelf_of(old.sub_type()).remove(table, e);
    }

    /// Removes an entry and keeps it as a version where the rule says so.
    void end(tenant_images& images, std::uint32_t e, const previous_version& rule, revision rev,
             bool is_erased) {
        auto old = remove(images, e);
        if (rule.is_kept()) kept.add({std::move(old), rev, rule.time(), is_erased});
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
                table.pages.for_each(part.pages, [&, &images = images](std::uint32_t e) {
                    if (find(*system, table[e].key())) images.shared_with_system.emplace(table[e].key());
                });
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
            if (const auto e = find(*system, key); e && table[*e].sub_type() == query.sub_type)
                scope.hidden.push_back(*e);
        std::sort(scope.hidden.begin(), scope.hidden.end());
        return scope;
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
    const auto& table = state_->table;
    for (const auto& part : images->shelves) {
        const auto& list = part.in_order<by_content>();
        auto at = list.lower_bound([&](std::uint32_t e) { return table[e].etag() < etag; });
        for (std::size_t taken = 0; at < list.size() && taken < image_store::max_same_content;
             ++at, ++taken) {
            const auto& e = table[list[at]];
            if (e.etag() != etag) break;
            found.push_back(e.record(table.names));
        }
    }
    std::sort(found.begin(), found.end(),
              [](const record_ptr& a, const record_ptr& b) { return a->id < b->id; });
    if (found.size() > image_store::max_same_content) found.resize(image_store::max_same_content);
    return found;
}

revision catalog::find_content_rev(const tenant_id& tenant, std::string_view key) const {
    const std::shared_lock lock(state_->mutex);
    const auto found = state_->find(tenant, key);
    return found ? state_->table[*found].content_rev() : 0;
}

stored catalog::find_version(const image_record& record) const {
    const std::shared_lock lock(state_->mutex);
    const auto current = state_->find(record.id);
    if (current && state_->table[*current].content_rev() == record.content_rev)
        return state_->unpack(current);
    auto kept = state_->kept.find(record.id, record.content_rev);
    return {std::move(kept.version.record), kept.body};
}

void catalog::put(stored item, previous_version rule) {
    const auto& record = *item.record;
    const auto title_key = collation_key(record.title);
    const auto texts = texts_of(record);

    const std::unique_lock lock(state_->mutex);
    packed_record fresh(item, title_key, state_->table.names);
    auto& images = state_->tenant_for(record.tenant);
    const auto old = state_->find(images, record.key);
    if (old) state_->end(images, *old, rule, record.rev, false);
    state_->register_entry(images.shelf_of(record.sub_type).add(state_->table, std::move(fresh), texts));
    if (!old) state_->note_key(record.tenant, record.key);
}

void catalog::erase(const tenant_id& tenant, std::string_view key, previous_version rule, revision rev) {
    const std::string name(key);
    const std::unique_lock lock(state_->mutex);
    const auto where = state_->tenants.find(tenant);
    if (where == state_->tenants.end()) return;
    const auto found = state_->find(where->second, name);
    if (!found) return;
    state_->end(where->second, *found, rule, rev, true);
    state_->note_key(tenant, name);
    if (where->second.size() == 0) state_->tenants.erase(where);
}

void catalog::begin_loading() {
    const std::unique_lock lock(state_->mutex);
    for (auto where = state_->tenants.begin(); where != state_->tenants.end();) {
        auto& images = where->second;
        for (auto& part : images.shelves)
            state_->table.pages.discard(part.loading);
        where = images.size() == 0 ? state_->tenants.erase(where) : std::next(where);
    }
}

void catalog::load(const stored& item) {
    const auto& record = *item.record;
    const auto title_key = collation_key(record.title);
    const auto texts = texts_of(record);
    const std::unique_lock lock(state_->mutex);
    packed_record fresh(item, title_key, state_->table.names);
    auto& shelf = state_->tenant_for(record.tenant).shelf_of(record.sub_type);
    state_->table.pages.add(shelf.loading, std::move(fresh), texts);
}

void catalog::finish_loading() {
    const std::unique_lock lock(state_->mutex);
    auto& all = *state_;
    std::size_t count = all.by_id.size();
    for (const auto& [id, images] : all.tenants)
        for (const auto& part : images.shelves)
            count += part.loading.entries;
    all.by_key.reserve(count, all.key_hash());
    all.by_id.reserve(count, all.id_hash());
    all.by_public_key.reserve(count, all.public_key_hash());
    for (auto& [id, images] : all.tenants)
        for (auto& part : images.shelves) {
            if (part.loading.entries == 0) continue;
            all.table.pages.for_each(part.loading, [&](std::uint32_t e) { all.register_entry(e); });
            part.finish_loading(all.table);
        }
    all.note_all_keys();
}

void catalog::put_kept(stored_version item) {
    const auto& version = item.version;
    const std::unique_lock lock(state_->mutex);
    // Kept versions are not sorted by title.
    packed_record record({version.record, item.body}, {}, state_->table.names);
    state_->kept.add({std::move(record), version.kept_rev, version.kept_time, version.is_erased});
}

stored_version catalog::drop_kept(const image_id& id, revision content_rev) {
    const std::unique_lock lock(state_->mutex);
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
    return (scope.own != nullptr ? scope.own->size() : 0) +
           (scope.system != nullptr ? scope.system->size() : 0);
}

result<image_page> catalog::list(const image_query& query) const {
    if (auto wrong = refuse_query(query)) return std::move(*wrong);
    const std::shared_lock lock(state_->mutex);
    return list_images(state_->table, state_->scope_of(query), query);
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
        while (const auto* e = walker.next()) {
            if (page.items.size() == limit) {
                const auto& last = *page.items.back();
                page.cursor = std::string(cursor_prefix) + to_string(last.tenant) + ':' + last.key;
                return page;
            }
            page.items.push_back(e->record(state_->table.names));
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
    const auto& table = state_->table;
    const auto add = [&](const packed_record& from, usage_figures& to) {
        from.unpack_filtered(table.names, record);
        add_figures_of(record, to);
    };
    for (const auto& [id, images] : state_->tenants)
        if (!tenant || id == *tenant)
            for (const auto& part : images.shelves)
                table.pages.for_each(part.pages, [&](std::uint32_t e) { add(table[e], sums.images); });
    state_->kept.for_each([&](const packed_record& version) {
        if (!tenant || table.names.tenant(version.tenant()) == *tenant) add(version, sums.kept);
    });
    return sums;
}

std::vector<tenant_id> catalog::tenants() const {
    std::set<tenant_id> all;
    const std::shared_lock lock(state_->mutex);
    for (const auto& [id, images] : state_->tenants)
        all.insert(id);
    state_->kept.for_each(
        [&](const packed_record& version) { all.insert(state_->table.names.tenant(version.tenant())); });
    return {all.begin(), all.end()};
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
        add(std::string(what) + " of " +
            describe(table.names.tenant(table[e].tenant()), std::string(table[e].key())) +
            " is not in the index.");
    };
    std::uint64_t entries = 0;
    std::size_t records = 0;
    for (const auto& tenant : all.tenants) {
        const auto& images = tenant.second;
        for (const auto& part : images.shelves) {
            records += part.size();
            table.pages.for_each(part.pages, [&](std::uint32_t e) {
                if (all.find(table[e].id()) != e) report(e, "The id");
                if (all.find(images, table[e].key()) != e) report(e, "The key");
                const auto link = table[e].public_key();
                if (!link.empty() && all.find_public(link) != e) report(e, "The public key");
            });
            part.for_each_index([&](const auto& index) {
                entries += index.numbers.size();
                if (!is_in_order(table, part, index))
                    add("The images of tenant " + to_string(tenant.first) + " are not in order.");
            });
        }
    }
    entries += all.by_key.size() + all.by_id.size() + all.by_public_key.size();
    if (records != all.by_id.size() || records != all.by_key.size())
        add("The index has " + std::to_string(all.by_id.size()) + " ids and " +
            std::to_string(all.by_key.size()) + " keys for " + std::to_string(records) + " records.");
    return entries;
}

}  // namespace gallery::kit
