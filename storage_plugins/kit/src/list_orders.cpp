// SPDX-License-Identifier: Apache-2.0
// Sorting many rows at once: when a store is loaded, and the matches of a search.
//
// The idea. Comparing two rows reads two places of memory, which is most of the time of a sort. Here the
// property and then the id are words of 8 bytes, most significant first. One word of each row is copied
// beside its number, and the copies are sorted. Only rows with equal words are sorted by the next one.
// Titles have one word, and ties of it are sorted by their whole collation keys.
//
// The invariant. The words of a row, one after the other, compare as the order does, ties by id included.
//
// The cost. O(n log n) comparisons of numbers, and one read of a row for each word that is compared. It
// takes 16 bytes for each row. A title's collation key is made once, and once more where words are equal.
#include "list_orders.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace gallery::kit {
namespace {

struct sorted_number {
    std::uint64_t word;  ///< the part of the property that is compared now
    std::uint32_t number;
};
using sorted_iterator = std::vector<sorted_number>::iterator;

template <class Bytes>
std::string_view view_of(const Bytes& bytes) noexcept {
    return {reinterpret_cast<const char*>(&bytes), sizeof bytes};
}

/// The words of a row: the property and then the id as words of a big-endian number; empty behind the last.
std::optional<std::uint64_t> word_of_id(const row_view& row, std::size_t level) {
    const auto& id = row.id();
    if (level >= sizeof id / 8) return std::nullopt;
    return first_bytes(view_of(id).substr(8 * level));
}
std::optional<std::uint64_t> word_of_created_time(const row_view& row, std::size_t level) {
    if (level > 0) return word_of_id(row, level - 1);
    return static_cast<std::uint64_t>(row.created_time()) ^ std::uint64_t{1} << 63;
}
std::optional<std::uint64_t> word_of_size(const row_view& row, std::size_t level) {
    return level > 0 ? word_of_id(row, level - 1) : row.size();
}
/// No two rows of a tenant have the same key.
std::optional<std::uint64_t> word_of_key(const row_view& row, std::size_t level) {
    const auto key = row.key();
    if (8 * level > key.size()) return std::nullopt;
    return first_bytes(key.substr(8 * level));
}
std::optional<std::uint64_t> word_of_content(const row_view& row, std::size_t level) {
    constexpr auto words = sizeof(sha256_digest) / 8;
    if (level >= words) return word_of_id(row, level - words);
    const auto etag = row.record().etag();
    return first_bytes(view_of(etag).substr(8 * level));
}

/// Calls @p visit for each run of at least two equal words of a sorted range.
template <class Visit>
void for_each_tie(sorted_iterator begin, sorted_iterator end, Visit visit) {
    while (begin != end) {
        const auto tie_end =
            std::find_if(begin, end, [&](const auto& other) { return other.word != begin->word; });
        if (tie_end - begin > 1) visit(begin, tie_end);
        begin = tie_end;
    }
}

template <class WordOf>
void sort_words(const row_table& table, sorted_iterator begin, sorted_iterator end, WordOf word_of,
                std::size_t level) {
    for (auto at = begin; at != end; ++at) {
        const auto word = word_of(table[at->number], level);
        if (!word) return;
        at->word = *word;
    }
    std::sort(begin, end, [](const auto& a, const auto& b) { return a.word < b.word; });
    for_each_tie(begin, end, [&](auto from, auto to) { sort_words(table, from, to, word_of, level + 1); });
}

/// Rows with one first word, by the whole keys, which are made once for each.
void sort_titles(const row_table& table, sorted_iterator begin, sorted_iterator end) {
    struct key_place {
        std::size_t offset;
        std::uint32_t size;
        std::uint32_t number;
    };
    std::string all;
    std::vector<key_place> keys;
    keys.reserve(static_cast<std::size_t>(end - begin));
    for (auto at = begin; at != end; ++at) {
        const auto key = collation_key(table[at->number].title());
        keys.push_back({all.size(), static_cast<std::uint32_t>(key.size()), at->number});
        all += key;
    }
    const auto key_of = [&](const key_place& of) { return std::string_view(all).substr(of.offset, of.size); };
    std::sort(keys.begin(), keys.end(), [&](const key_place& a, const key_place& b) {
        const auto compared = key_of(a) <=> key_of(b);
        return compared != 0 ? compared < 0 : table[a.number].id() < table[b.number].id();
    });
    for (const auto& key : keys)
        (begin++)->number = key.number;
}

/// Calls @p sort(begin, end) for the numbers with room for a word beside each.
template <class Sort>
void sort_with_words(std::vector<std::uint32_t>& numbers, Sort sort) {
    std::vector<sorted_number> sorted;
    sorted.reserve(numbers.size());
    for (const auto number : numbers)
        sorted.push_back({0, number});
    sort(sorted.begin(), sorted.end());
    std::transform(sorted.begin(), sorted.end(), numbers.begin(),
                   [](const auto& from) { return from.number; });
}

template <class WordOf>
void sort_by_words(const row_table& table, std::vector<std::uint32_t>& numbers, WordOf word_of) {
    sort_with_words(numbers, [&](sorted_iterator begin, sorted_iterator end) {
        sort_words(table, begin, end, word_of, 0);
    });
}

void sort_by_title(const row_table& table, std::vector<std::uint32_t>& numbers) {
    sort_with_words(numbers, [&](sorted_iterator begin, sorted_iterator end) {
        for (auto at = begin; at != end; ++at)
            at->word = first_bytes(collation_key(table[at->number].title()));
        std::sort(begin, end, [](const auto& a, const auto& b) { return a.word < b.word; });
        for_each_tie(begin, end, [&](auto from, auto to) { sort_titles(table, from, to); });
    });
}

}  // namespace

void sort_rows(row_order by, const row_table& table, std::vector<std::uint32_t>& numbers) {
    switch (by) {
        case row_order::id:
            return sort_by_words(table, numbers, word_of_id);
        case row_order::created_time:
            return sort_by_words(table, numbers, word_of_created_time);
        case row_order::key:
            return sort_by_words(table, numbers, word_of_key);
        case row_order::size:
            return sort_by_words(table, numbers, word_of_size);
        case row_order::title:
            return sort_by_title(table, numbers);
    }
}

void sort_by_content(const row_table& table, std::vector<std::uint32_t>& numbers) {
    sort_by_words(table, numbers, word_of_content);
}

}  // namespace gallery::kit
