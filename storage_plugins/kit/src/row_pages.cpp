// SPDX-License-Identifier: Apache-2.0
#include "row_pages.hpp"

#include <gallery/characters.hpp>
#include <gallery/kit/matcher.hpp>
#include <gallery/text.hpp>

#include <algorithm>

namespace gallery::kit {
namespace {

/// Names have no NUL by contract; one would move the texts of other rows.
std::string without_nul(std::string text) {
    std::replace(text.begin(), text.end(), '\0', '\xfe');
    return text;
}

struct searched_name {
    std::string text;      ///< that a search reads
    std::string original;  ///< empty: it is the text
};

searched_name searched(const std::string& name) {
    auto folded = fold_case(name);
    if (folded == ascii_lower(name)) return {without_nul(name), {}};
    return {without_nul(std::move(folded)), without_nul(name)};
}

}  // namespace

row_source::row_source(const image_record& record)
    : id(record.id), created_time(record.created_time), size(record.original.size) {
    auto searched_title = searched(record.title);
    auto searched_key = searched(record.key);
    title = std::move(searched_title.text);
    names = std::move(searched_key.text);
    if (record.file_name != record.key) {
        const auto folded = without_nul(fold_case(record.file_name));
        const auto is_in = [&](const std::string& text) { return contains(ascii_lower(text), folded); };
        if (!is_in(names) && !is_in(title)) (names += name_separator) += folded;
    }
    if (!searched_title.original.empty() || !searched_key.original.empty())
        ((originals = std::move(searched_title.original)) += name_separator) += searched_key.original;
}

std::string_view row_source::original_title() const noexcept {
    const auto original = first_name(originals);
    return original.empty() ? std::string_view(title) : original;
}

std::string_view row_source::original_key() const noexcept {
    const auto original = second_name(originals);
    return original.empty() ? first_name(names) : original;
}

}  // namespace gallery::kit
