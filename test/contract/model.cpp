// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <gallery/text.hpp>

#include <algorithm>

namespace gallery::contract {
namespace {

int compare(const image_record& a, const image_record& b, image_sort sort) {
    const auto sign = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
    switch (sort) {
        case image_sort::created_time:
            return sign(a.created_time, b.created_time);
        case image_sort::title:
            return sign(collation_key(a.title), collation_key(b.title));
        case image_sort::resource_key:
            return sign(a.key, b.key);
        case image_sort::size:
            return sign(a.original.size, b.original.size);
        case image_sort::resource_type:
            return 0;
        case image_sort::tenant:
            return sign(a.tenant, b.tenant);
    }
    return 0;
}

bool passes(const image_record& record, const image_filter& filter) {
    for (const auto& tag : filter.tags)
        if (std::find(record.tags.begin(), record.tags.end(), tag) == record.tags.end()) return false;
    bool is_of_type = filter.media_types.empty();
    for (const auto& type : filter.media_types)
        is_of_type = is_of_type || type == record.original.media_type;
    return is_of_type && (!filter.is_public || *filter.is_public == record.is_public) &&
           filter.created_from <= record.created_time && record.created_time <= filter.created_to &&
           filter.size_from <= record.original.size && record.original.size <= filter.size_to;
}

}  // namespace

expected_page expect_page(const model& content, const image_query& query) {
    const auto searched = fold_case(query.text_search);
    std::vector<const image_record*> all;
    for (const auto& [name, record] : content) {
        const auto& [tenant, key] = name;
        const bool from_system = query.include_system && tenant == system_tenant &&
                                 query.tenant != system_tenant && !content.contains({query.tenant, key});
        if (tenant != query.tenant && !from_system) continue;
        if (record.sub_type != query.sub_type || !passes(record, query.filter)) continue;
        const auto contains = [&](const std::string& text) {
            return fold_case(text).find(searched) != std::string::npos;
        };
        const bool in_names =
            query.search_in == search_scope::names && (contains(record.key) || contains(record.file_name));
        if (!contains(record.title) && !in_names) continue;
        all.push_back(&record);
    }
    std::sort(all.begin(), all.end(), [&](const auto* a, const auto* b) {
        const int order = compare(*a, *b, query.sort);
        if (order != 0) return query.descending ? order > 0 : order < 0;
        return a->id < b->id;
    });
    expected_page page;
    page.total = all.size();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (i / query.page_size == query.page) page.images.push_back(all[i]->id);
    return page;
}

}  // namespace gallery::contract
