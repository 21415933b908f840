// SPDX-License-Identifier: Apache-2.0
// The idea. If the index of a tenant is in memory (search_index.hpp), a page is made from it. Otherwise it is
// made from the list entries on the disk, or, if the query selects, by search.cpp. A page of list entries
// merges two sorted sequences: the tenant's entries, which are a range of index keys, and the visible system
// images, which are few and are collected in a vector. A page begins at an offset of the merged sequence. A
// system image comes before the page if its index in the vector plus the number of tenant entries before it
// is less than the offset. That sum increases along the vector, so a binary search finds how many system
// images come before the page. page_ranks gives the number of tenant entries before a given entry.
//
// The invariant. Everything that one call reads is read at one snapshot (moment::at), so total, entries and
// records agree. The counter of the list determines the total. If the anchors disagree with it, they are
// dropped, and the page is reached by passing the entries before it.
//
// The cost. A page within 256 entries of the beginning passes the entries before it. A later page needs
// anchors, one rank_of() (at most one stretch) per step of the binary search, and the entries of the page.
// System images add one pass over their list. To hide those whose key the tenant has, either the tenant's
// keys are read or each system image is looked up, depending on which are fewer. Each entry of the page then
// loads one record.
#include "lists.hpp"

#include "records.hpp"

#include <gallery/sub_type.hpp>

#include <unordered_set>
#include <utility>

namespace gallery::rocks {
namespace {

/// Pages that begin within so many entries of an end are reached without anchors.
constexpr std::uint64_t near = 256;

property property_of(image_sort sort) noexcept {
    switch (sort) {
        case image_sort::created_time:
            return property::created_time;
        case image_sort::title:
            return property::title;
        case image_sort::resource_key:
            return property::resource_key;
        case image_sort::size:
            return property::size;
        case image_sort::resource_type:
        case image_sort::tenant:
            break;
    }
    return property::id;
}

}  // namespace

result<std::uint64_t> list_reader::count(tenant_id tenant, image_sub_type sub_type,
                                         const snapshot_ptr& at) const {
    return engine_.number(counter_key(tenant, sub_type), at);
}

result<image_page> list_reader::list(const image_query& query) const {
    const kit::matcher matcher(query);
    if (auto found = indexed(query, matcher)) return std::move(*found);
    return matcher.is_selective() ? selected(query, matcher) : sorted(query);
}

std::optional<result<image_page>> list_reader::indexed(const image_query& query,
                                                       const kit::matcher& matcher) const {
    const bool is_known = kit::tenant_index::knows(query.filter);
    if (!is_known && !matcher.has_text()) return std::nullopt;
    image_query asked = query;
    if (!is_known) {
        // The records decide, if the text leaves few. Many are found faster by reading all.
        constexpr std::uint32_t few = 2'048;
        asked.filter.tags.clear();
        asked.filter.media_types.clear();
        asked.filter.is_public.reset();
        asked.page = 0;
        asked.page_size = few;
    }
    const bool is_late = kit::first_of(query) > near;
    const auto found = searches_.list(asked, matcher.is_selective() || is_late);
    if (!found) return std::nullopt;
    if (!is_known)
        return found->images.total > asked.page_size ? std::nullopt
                                                     : std::optional(filtered(query, matcher, *found));
    image_page page;
    page.total = found->images.total;
    page.images.reserve(found->images.images.size());
    for (const auto& image : found->images.images)
        if (auto added =
                add_record(image.of_system ? system_tenant : query.tenant, image.key, found->at, page.images);
            !added)
            return result<image_page>(added.error());
    return result<image_page>(std::move(page));
}

/// The page of those images of a whole list that pass the filter.
result<image_page> list_reader::filtered(const image_query& query, const kit::matcher& matcher,
                                         const search_index::page& found) const {
    std::vector<record_ptr> all;
    for (const auto& image : found.images.images)
        if (auto added = add_record(image.of_system ? system_tenant : query.tenant, image.key, found.at, all);
            !added)
            return added.error();
    std::erase_if(all, [&](const record_ptr& record) { return !matcher.passes(*record); });
    image_page page;
    page.total = all.size();
    const auto begin = std::min<std::uint64_t>(kit::first_of(query), all.size());
    const auto end = begin + std::min<std::uint64_t>(query.page_size, all.size() - begin);
    page.images.assign(all.begin() + static_cast<std::ptrdiff_t>(begin),
                       all.begin() + static_cast<std::ptrdiff_t>(end));
    return page;
}

result<image_page> list_reader::sorted(const image_query& query) const {
    const property by = property_of(query.sort);
    moment now{query, by, index_prefix(query.tenant, query.sub_type, by),
               query.descending && by != property::id, nullptr};
    const std::uint64_t offset = kit::first_of(query);
    const bool overflows = offset == ~std::uint64_t{0};

    page_ranks::counts ranks;
    if (offset > near && !overflows) {
        auto opened = ranks_.open(now.prefix);
        if (!opened) return opened.error();
        ranks = std::move(*opened);
        now.at = ranks.snapshot();
        now.ranks = &ranks;
    } else {
        now.at = engine_.snapshot();
    }
    const auto own = count(query.tenant, query.sub_type, now.at);
    if (!own) return own.error();
    now.own = *own;
    if (now.ranks != nullptr && ranks.total() != now.own) {
        // The counter is what counts; without anchors the way is longer and just as right.
        ranks_.drop(now.prefix);
        now.ranks = nullptr;
    }

    std::vector<list_entry> system;
    if (query.include_system && query.tenant != system_tenant) {
        auto found = visible_system(now);
        if (!found) return found.error();
        system = std::move(*found);
    }
    const std::uint64_t total = now.own + system.size();
    if (offset >= total) return load_page(now, {}, total);
    const auto entries =
        merged(now, system, offset, std::min<std::uint64_t>(query.page_size, total - offset));
    if (!entries) return entries.error();
    return load_page(now, *entries, total);
}

result<std::vector<list_entry>> list_reader::merged(const moment& now, const std::vector<list_entry>& system,
                                                    std::uint64_t offset, std::uint64_t wanted) const {
    kit::page_start start;
    std::uint64_t skip = 0;
    if (system.empty()) {
        start.own = offset;
    } else if (now.ranks != nullptr || now.own == 0) {
        const auto found = kit::start_of_page(offset, system.size(), [&](std::uint64_t i) {
            return tenant_entries_before(now, system[static_cast<std::size_t>(i)]);
        });
        if (!found) return found.error();
        start = *found;
    } else {
        skip = offset;  // near the beginning
    }
    ordered_cursor cursor(engine_, now.prefix, now.descending, now.at, now.own, now.ranks);
    if (auto started = cursor.start(start.own); !started) return started.error();
    const auto next_own = [&] { return cursor.next(); };
    const auto next_system = [&, at = system.begin() + static_cast<std::ptrdiff_t>(start.system)]() mutable {
        return result<const list_entry*>(at == system.end() ? nullptr : &*at++);
    };
    const auto before = [&](const list_entry& a, const list_entry& b) { return now.before(a, b); };
    std::vector<list_entry> entries;
    entries.reserve(wanted);
    // A const entry of the system's is copied.
    const auto add = [&](auto&& entry) { entries.push_back(std::forward<decltype(entry)>(entry)); };
    if (auto merged = kit::merge_lists(next_own, next_system, before, skip, wanted, add); !merged)
        return merged.error();
    return entries;
}

result<std::uint64_t> list_reader::tenant_entries_before(const moment& now, const list_entry& entry) const {
    if (now.own == 0) return std::uint64_t{0};
    if (now.query.sort == image_sort::tenant) {
        const bool system_first = (system_tenant < now.query.tenant) != now.query.descending;
        return system_first ? std::uint64_t{0} : now.own;
    }
    const std::string group = now.prefix + entry.value;
    const auto place = now.ranks->rank_of(group + std::string(raw(entry.id)));
    if (!place || !now.descending) return place;
    const auto first = now.ranks->rank_of(group);
    if (!first) return first;
    const auto behind = now.ranks->rank_of(after_prefix(group));
    if (!behind) return behind;
    return now.own - *behind + (*place - *first);
}

result<bool> list_reader::has_record(tenant_id tenant, std::string_view image_key,
                                     const snapshot_ptr& at) const {
    rocksdb::PinnableSlice value;
    const auto status =
        engine_.get(family::records, record_key(tenant, image_key), value, engine::reach::disk, at);
    if (status.ok()) return true;
    if (status.IsNotFound()) return false;
    // Hidden is what may be hidden: the tenant's image is damaged, not gone.
    if (status.IsCorruption()) return true;
    return to_error(status, "reading a record");
}

result<std::vector<list_entry>> list_reader::visible_system(const moment& now) const {
    // Hidden are those whose key the tenant has, of whatever sub type. Whichever side has fewer images is
    // gone through.
    const image_query& query = now.query;
    const auto system_count = count(system_tenant, query.sub_type, now.at);
    if (!system_count) return system_count.error();
    std::vector<list_entry> entries;
    if (*system_count == 0) return entries;
    std::uint64_t tenant_count = 0;
    for (const auto& [sub_type, name] : sub_types.entries) {
        const auto some = count(query.tenant, sub_type, now.at);
        if (!some) return some.error();
        tenant_count += *some;
    }
    std::unordered_set<std::string> tenant_keys;
    const bool by_set = tenant_count < *system_count;
    if (by_set) {
        for (const auto& [sub_type, name] : sub_types.entries) {
            auto cursor = engine_.iterate_prefix(family::index,
                                                 index_prefix(query.tenant, sub_type, property::resource_key),
                                                 engine::reach::disk, now.at);
            for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next())
                tenant_keys.emplace(cursor.value());
            if (!cursor->status().ok()) return to_error(cursor->status(), "reading a list");
        }
    }
    entries.reserve(*system_count);
    ordered_cursor cursor(engine_, index_prefix(system_tenant, query.sub_type, now.by), now.descending,
                          now.at, *system_count, nullptr);
    if (auto started = cursor.start(0); !started) return started.error();
    for (;;) {
        auto entry = cursor.next();
        if (!entry) return entry.error();
        if (!*entry) return entries;
        bool hidden = false;
        if (by_set) {
            hidden = tenant_keys.contains((*entry)->image_key);
        } else {
            const auto has = has_record(query.tenant, (*entry)->image_key, now.at);
            if (!has) return has.error();
            hidden = *has;
        }
        if (hidden) continue;
        (*entry)->of_system = true;
        entries.push_back(std::move(**entry));
    }
}

result<record_ptr> list_reader::load(tenant_id tenant, std::string_view image_key,
                                     const snapshot_ptr& at) const {
    const std::string key = record_key(tenant, image_key);
    auto record = *load_record(engine_, key, engine::reach::disk, at);
    if (record && !*record)
        return error{errc::corrupt, "A list contains " + describe_image(key) +
                                        ", but its record is missing; run `gallery-admin verify`."};
    return record;
}

/// Adds a record to a page, if it can be read.
result<void> list_reader::add_record(const tenant_id& tenant, std::string_view image_key,
                                     const snapshot_ptr& at, std::vector<record_ptr>& to) const {
    auto record = load(tenant, image_key, at);
    if (record) {
        to.push_back(std::move(*record));
        return {};
    }
    if (record.error().code != errc::corrupt) return record.error();
    // One damaged image must not hide all others of its page; the total goes on counting it.
    leave_out(record.error().message);
    return {};
}

void list_reader::leave_out(const std::string& why) const {
    omissions_.fetch_add(1, std::memory_order_relaxed);
    log_(log_level::error, "rocksdb: left out of a list: " + why);
}

result<image_page> list_reader::load_page(const moment& now, const std::vector<list_entry>& entries,
                                          std::uint64_t total) const {
    image_page page;
    page.total = total;
    page.images.reserve(entries.size());
    for (const auto& entry : entries)
        if (auto added = add_record(entry.of_system ? system_tenant : now.query.tenant, entry.image_key,
                                    now.at, page.images);
            !added)
            return added.error();
    return page;
}

}  // namespace gallery::rocks
