// SPDX-License-Identifier: Apache-2.0
// Lists of the images that a text and a filter select, for tenants without an index in memory
// (search_index.hpp), and for filters that select many images by what only records contain.
//
// The idea. A text in titles alone is searched in the title lists, whose entries contain the folded title and
// the properties that a list is sorted by. Every other search reads the tenant's records. The matches are
// collected without an order; only those of the page are then sorted.
//
// The invariant. Everything is read at one snapshot, so total and page agree. A record that cannot be read is
// left out and logged, and all others are found.
//
// The cost. Each search reads all title entries or all records of the tenant, and of the system tenant if its
// images are included. A match takes 64 bytes and its texts until the page is made.
#include "codec.hpp"
#include "lists.hpp"
#include "records.hpp"

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

/// What the orders of lists go by. Numbers are ordered().
struct sort_values {
    std::uint64_t created_time;
    std::uint64_t size;
    std::string_view title;  // property_bytes()
};

}  // namespace

/// The matches of one query, with what they are sorted by.
class list_reader::matches {
public:
    explicit matches(const image_query& query) : query_(query) {}

    void add(const sort_values& values, const tenant_id& tenant, const image_id& id,
             std::string_view image_key) {
        match found;
        found.id = id;
        found.image_key = keep(image_key);
        found.of_system = tenant != query_.tenant;
        switch (query_.sort) {
            case image_sort::created_time:
                found.number = values.created_time;
                break;
            case image_sort::size:
                found.number = values.size;
                break;
            case image_sort::title:
                found.text = keep(values.title);
                break;
            case image_sort::resource_key:
                found.text = found.image_key;
                break;
            case image_sort::tenant:
                found.number = (tenant == query_.tenant) == (query_.tenant < system_tenant) ? 0 : 1;
                break;
            case image_sort::resource_type:
                break;
        }
        found_.push_back(found);
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return found_.size(); }

    /// The entries of the query's page. Call once.
    std::vector<list_entry> page() {
        std::vector<list_entry> entries;
        const std::uint64_t offset = kit::first_of(query_);
        if (offset >= found_.size()) return entries;
        const auto before = [this](const match& a, const match& b) {
            return kit::comes_before(std::pair(a.number, a.text), a.id, std::pair(b.number, b.text), b.id,
                                     query_.descending);
        };
        const auto first = found_.begin() + static_cast<std::ptrdiff_t>(offset);
        const auto left = static_cast<std::uint64_t>(found_.end() - first);
        const auto last =
            first + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(query_.page_size, left));
        std::nth_element(found_.begin(), first, found_.end(), before);
        std::partial_sort(first, last, found_.end(), before);
        for (auto at = first; at != last; ++at)
            entries.push_back({std::string(), at->id, std::string(at->image_key), at->of_system});
        return entries;
    }

private:
    std::string_view keep(std::string_view text) {
        if (text.empty()) return {};
        auto* const copy = static_cast<char*>(memory_.allocate(text.size(), 1));
        std::memcpy(copy, text.data(), text.size());
        return {copy, text.size()};
    }

    const image_query& query_;
    std::pmr::monotonic_buffer_resource memory_{64 * 1024};
    std::vector<match> found_;
};

result<image_page> list_reader::selected(const image_query& query, const kit::matcher& matcher) const {
    const moment now{query, property::title, index_prefix(query.tenant, query.sub_type, property::title),
                     query.descending, engine_.snapshot()};
    matches found(query);
    std::vector<tenant_id> tenants(1, query.tenant);
    if (query.include_system && query.tenant != system_tenant) tenants.push_back(system_tenant);
    const bool titles_alone = !matcher.has_filter() && query.search_in == search_scope::title;
    for (const tenant_id& tenant : tenants)
        if (auto searched = titles_alone ? search_titles(now, tenant, matcher, found)
                                         : search_records(now, tenant, matcher, found);
            !searched)
            return searched.error();
    return load_page(now, found.page(), found.size());
}

result<void> list_reader::search_titles(const moment& now, tenant_id tenant, const kit::matcher& matcher,
                                        matches& found) const {
    const auto& query = now.query;
    auto cursor = engine_.iterate_prefix(family::index, index_prefix(tenant, query.sub_type, property::title),
                                         engine::reach::disk, now.at);
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
        const auto key = parse_index_key(cursor.key());
        const auto value = key ? parse_title_value(cursor.value()) : std::nullopt;
        if (!value) return error{errc::corrupt, "A title entry cannot be read; run `gallery-admin verify`."};
        if (!kit::contains(value->folded_title, matcher.folded_text())) continue;
        if (tenant != query.tenant) {
            const auto hidden = has_record(query.tenant, value->image_key, now.at);
            if (!hidden) return hidden.error();
            if (*hidden) continue;
        }
        found.add({value->created_time, value->size, key->value}, tenant, key->id, value->image_key);
    }
    if (!cursor->status().ok()) return to_error(cursor->status(), "reading the titles");
    return {};
}

result<void> list_reader::search_records(const moment& now, tenant_id tenant, const kit::matcher& matcher,
                                         matches& found) const {
    const auto& query = now.query;
    const bool sorts_by_title = query.sort == image_sort::title;
    const auto consider = [&](const record_ptr& record, std::string_view key) -> result<void> {
        if (!record) {
            leave_out("the record of " + describe_image(key) + " cannot be read.");
            return {};
        }
        if (record->sub_type != query.sub_type || !matcher.matches(*record)) return {};
        if (tenant != query.tenant) {
            const auto hidden = has_record(query.tenant, record->key, now.at);
            if (!hidden) return hidden.error();
            if (*hidden) return {};
        }
        const auto title = sorts_by_title ? property_bytes(*record, property::title) : std::string();
        found.add({ordered(record->created_time), record->original.size, title}, tenant, record->id,
                  record->key);
        return {};
    };
    std::string last;
    auto cursor =
        engine_.iterate_prefix(family::records, std::string(raw(tenant)), engine::reach::disk, now.at);
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
        last = cursor.key();
        if (auto done = consider(decode_record(last, cursor.value()), last); !done) return done;
    }
    if (!cursor->status().IsCorruption()) {
        if (!cursor->status().ok()) return to_error(cursor->status(), "reading the records");
        return {};
    }
    // An iterator ends at a block that cannot be read; asked for one by one, all other records are there.
    auto names =
        engine_.iterate_prefix(family::index, index_prefix(tenant, query.sub_type, property::resource_key),
                               engine::reach::disk, now.at);
    for (names->SeekToFirst(); names->Valid(); names->Next()) {
        const std::string key = record_key(tenant, names.value());
        if (!last.empty() && key <= last) continue;
        const auto record = *load_record(engine_, key, engine::reach::disk, now.at);
        if (!record && record.error().code != errc::corrupt) return record.error();
        if (auto done = consider(record ? *record : nullptr, key); !done) return done;
    }
    if (!names->status().ok()) return to_error(names->status(), "reading a list");
    return {};
}

}  // namespace gallery::rocks
