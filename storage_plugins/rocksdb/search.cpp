// Lists with a text: one pass over the folded titles of the title lists.
#include "lists.hpp"

#include <gallery/text.hpp>

#include <cstring>
#include <memory_resource>

namespace gallery::rocks {
namespace {

struct match {
    std::uint64_t number = 0;  // where sorted by a number
    std::string_view text;     // where sorted by a text
    image_id id;
    std::string_view image_key;
    bool of_system = false;
};

}  // namespace

result<image_page> list_reader::searched(const image_query& query) const {
    moment now{query, property::title, index_prefix(query.tenant, query.sub_type, property::title),
               query.descending, engine_.snapshot()};
    const std::string needle = fold_case(query.text_search);
    // No title has one, but the entries' keys do, between their parts.
    if (needle.find('\0') != std::string::npos) return image_page{};
    std::pmr::monotonic_buffer_resource memory(64 * 1024);
    const auto keep = [&memory](std::string_view text) {
        if (text.empty()) return std::string_view();
        auto* const copy = static_cast<char*>(memory.allocate(text.size(), 1));
        std::memcpy(copy, text.data(), text.size());
        return std::string_view(copy, text.size());
    };

    std::vector<match> matches;
    std::vector<tenant_id> tenants(1, query.tenant);
    if (query.include_system && query.tenant != system_tenant) tenants.push_back(system_tenant);
    for (const tenant_id& tenant : tenants) {
        const bool system = tenants.size() > 1 && tenant == system_tenant;
        auto cursor =
            engine_.iterate_prefix(family::index, index_prefix(tenant, query.sub_type, property::title),
                                   engine::reach::disk, now.at);
        for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
            const auto key = parse_index_key(cursor.key());
            // memmem rather than string_view::find: it is several times faster on short texts.
            if (!key ||
                ::memmem(key->value.data(), key->value.size(), needle.data(), needle.size()) == nullptr)
                continue;
            const auto value = parse_title_value(cursor.value());
            if (!value)
                return error{errc::corrupt, "A title entry cannot be read; run `gallery-admin verify`."};
            if (system) {
                const auto hidden = has_record(query.tenant, value->image_key, now.at);
                if (!hidden) return hidden.error();
                if (*hidden) continue;
            }
            match found;
            found.id = key->id;
            found.image_key = keep(value->image_key);
            found.of_system = system;
            switch (query.sort) {
                case image_sort::created_time:
                    found.number = value->created_time;
                    break;
                case image_sort::size:
                    found.number = value->size;
                    break;
                case image_sort::title:
                    found.text = keep(key->value);
                    break;
                case image_sort::resource_key:
                    found.text = found.image_key;
                    break;
                case image_sort::tenant:
                    found.text = raw(tenant);
                    break;
                case image_sort::resource_type:
                    break;
            }
            matches.push_back(found);
        }
        if (!cursor->status().ok()) return to_error(cursor->status(), "reading the titles");
    }

    const auto before = [&query](const match& a, const match& b) {
        if (a.number != b.number) return (a.number < b.number) != query.descending;
        if (const int order = a.text.compare(b.text); order != 0) return (order < 0) != query.descending;
        return a.id < b.id;
    };
    const std::uint64_t total = matches.size();
    std::vector<list_entry> entries;
    if (query.page <= total / query.page_size && query.page * query.page_size < total) {
        const auto first = matches.begin() + static_cast<std::ptrdiff_t>(query.page * query.page_size);
        const auto left = static_cast<std::uint64_t>(matches.end() - first);
        const auto last = first + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(query.page_size, left));
        std::nth_element(matches.begin(), first, matches.end(), before);
        std::partial_sort(first, last, matches.end(), before);
        for (auto at = first; at != last; ++at)
            entries.push_back({std::string(), at->id, std::string(at->image_key), at->of_system});
    }
    return load_page(now, entries, total);
}

}  // namespace gallery::rocks
