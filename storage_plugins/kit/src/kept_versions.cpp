// SPDX-License-Identifier: Apache-2.0
#include "kept_versions.hpp"

#include <gallery/kit/rules.hpp>

#include <charconv>

namespace gallery::kit {
namespace {

constexpr std::string_view cursor_prefix = "kept:";

/// The kept_rev that a cursor names; 0 where it names none.
revision position_of(std::string_view cursor) {
    if (!cursor.starts_with(cursor_prefix)) return 0;
    const char* const begin = cursor.data() + cursor_prefix.size();
    const char* const end = cursor.data() + cursor.size();
    revision position = 0;
    const auto [after, failed] = std::from_chars(begin, end, position);
    return failed == std::errc{} && after == end ? position : 0;
}

stored_version unpack(const kept_versions::version& from, const names_of_records& names) {
    auto item = from.record.unpack({from.id, from.created_time, from.title}, names);
    return {{std::move(item.record), from.kept_rev, from.kept_time, from.is_erased}, item.body};
}

/// @p versions in ascending order of kept_rev.
template <class Versions>
result<scan_page<kept_version>> page_from(const Versions* versions, const names_of_records& names,
                                          kept_order order, std::string_view cursor, std::size_t limit) {
    if (limit == 0) return bad_limit();
    const revision position = cursor.empty() ? 0 : position_of(cursor);
    if (!cursor.empty() && position == 0) return bad_cursor("kept versions", cursor);
    scan_page<kept_version> page;
    if (versions == nullptr) return page;
    const auto collect = [&](auto at, auto end) {
        for (; at != end && page.items.size() < limit; ++at)
            page.items.push_back(unpack(*at->second, names).version);
        if (at != end) page.cursor = std::string(cursor_prefix) + std::to_string(page.items.back().kept_rev);
    };
    if (order == kept_order::oldest_first)
        collect(cursor.empty() ? versions->begin() : versions->upper_bound(position), versions->end());
    else
        collect(
            std::make_reverse_iterator(cursor.empty() ? versions->end() : versions->lower_bound(position)),
            versions->rend());
    return page;
}

template <class Map, class Key>
const typename Map::mapped_type* value_of(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

template <class Map>
void erase_from(Map& map, const typename Map::key_type& key, revision kept_rev) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    found->second.erase(kept_rev);
    if (found->second.empty()) map.erase(found);
}

}  // namespace

void kept_versions::add(version item) {
    const auto id = item.id;
    const auto rev = item.kept_rev;
    auto& place = versions_[{id, item.record.content_rev()}];
    place = std::make_unique<version>(std::move(item));
    all_.insert_or_assign(rev, place.get());
    of_tenant_[names_.tenant(place->record.tenant())].insert_or_assign(rev, place.get());
    of_image_[id].insert_or_assign(rev, place.get());
}

stored_version kept_versions::remove(const image_id& id, revision content_rev) {
    const auto found = versions_.find({id, content_rev});
    if (found == versions_.end()) return {};
    auto removed = unpack(*found->second, names_);
    versions_.erase(found);
    const auto rev = removed.version.kept_rev;
    all_.erase(rev);
    erase_from(of_tenant_, removed.version.record->tenant, rev);
    erase_from(of_image_, id, rev);
    return removed;
}

stored_version kept_versions::find(const image_id& id, revision content_rev) const {
    const auto found = versions_.find({id, content_rev});
    return found == versions_.end() ? stored_version{} : unpack(*found->second, names_);
}

result<scan_page<kept_version>> kept_versions::page(const std::optional<tenant_id>& tenant, kept_order order,
                                                    std::string_view cursor, std::size_t limit) const {
    return page_from(tenant ? value_of(of_tenant_, *tenant) : &all_, names_, order, cursor, limit);
}

result<scan_page<kept_version>> kept_versions::page_of(const image_id& id, std::string_view cursor,
                                                       std::size_t limit) const {
    return page_from(value_of(of_image_, id), names_, kept_order::newest_first, cursor, limit);
}

}  // namespace gallery::kit
