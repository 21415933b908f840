// SPDX-License-Identifier: Apache-2.0
#include <gallery/kit/matcher.hpp>

#include <gallery/text.hpp>

#include <algorithm>
#include <cstring>

namespace gallery::kit {

std::optional<error> refuse_query(const image_query& query) {
    if (query.page_size == 0)
        return error{errc::invalid_argument, "The page size is 0; it must be at least 1."};
    if (!is_utf8(query.text_search))
        return error{errc::invalid_argument, "The text to search for is not UTF-8."};
    if (query.sort > image_sort::tenant) return error{errc::invalid_argument, "Unknown order of images."};
    return std::nullopt;
}

std::uint64_t first_of(const image_query& query) noexcept {
    std::uint64_t first = 0;
    if (__builtin_mul_overflow(query.page, std::uint64_t{query.page_size}, &first)) return ~std::uint64_t{0};
    return first;
}

bool contains(std::string_view text, std::string_view part) noexcept {
    return part.empty() || ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

matcher::matcher(const image_query& query)
    : query_(query), folded_(fold_case(query.text_search)), has_filter_(query.filter != image_filter{}) {}

bool matcher::passes(const image_record& record) const {
    if (!has_filter_) return true;
    const auto& filter = query_.filter;
    if (filter.is_public && *filter.is_public != record.is_public) return false;
    if (record.created_time < filter.created_from || record.created_time > filter.created_to) return false;
    if (record.original.size < filter.size_from || record.original.size > filter.size_to) return false;
    const auto has = [](const std::vector<std::string>& in, const std::string& what) {
        return std::find(in.begin(), in.end(), what) != in.end();
    };
    if (!filter.media_types.empty() && !has(filter.media_types, record.original.media_type)) return false;
    return std::all_of(filter.tags.begin(), filter.tags.end(),
                       [&](const std::string& tag) { return has(record.tags, tag); });
}

bool matcher::contains_text(std::string_view folded_title, const image_record& record) const {
    if (contains(folded_title, folded_)) return true;
    return query_.search_in == search_scope::names &&
           (contains(fold_case(record.key), folded_) || contains(fold_case(record.file_name), folded_));
}

bool matcher::matches(const image_record& record) const {
    return passes(record) && (!has_text() || contains_text(fold_case(record.title), record));
}

}  // namespace gallery::kit
