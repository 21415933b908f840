// SPDX-License-Identifier: Apache-2.0
// Sorting many entries at once: when a store is loaded, and the matches of a search.
//
// The idea. Comparing two entries reads two places of memory, which is most of the time of a sort. Here the
// property and then the id are words of 8 bytes, most significant first. One word of each entry is copied
// beside its number, and the copies are sorted. Only entries with equal words are sorted by the next one.
// Titles have one word, and ties of it are sorted by their whole collation keys.
//
// The invariant. The words of an entry, one after the other, compare as the order does, ties by id included.
//
// The cost. O(n log n) comparisons of numbers, and one read of an entry for each word that is compared. It
// takes 16 bytes for each entry, and for titles with equal words their collation keys.
#include "list_orders.hpp"

#include <algorithm>
#include <optional>

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

std::optional<std::uint64_t> word_of_id(const packed_record& e, std::size_t level) {
    const auto id = e.id();
    if (level >= sizeof id / 8) return std::nullopt;
    return first_bytes(view_of(id).substr(8 * level));
}

/// The property and then the id as words of a big-endian number; empty behind the last one.
template <class Order>
std::optional<std::uint64_t> word_of(const packed_record& e, std::size_t level);

template <>
std::optional<std::uint64_t> word_of<by_id>(const packed_record& e, std::size_t level) {
    return word_of_id(e, level);
}
template <>
std::optional<std::uint64_t> word_of<by_created_time>(const packed_record& e, std::size_t level) {
    if (level > 0) return word_of_id(e, level - 1);
    return static_cast<std::uint64_t>(e.created_time()) ^ std::uint64_t{1} << 63;
}
template <>
std::optional<std::uint64_t> word_of<by_size>(const packed_record& e, std::size_t level) {
    return level > 0 ? word_of_id(e, level - 1) : e.size();
}
template <>
std::optional<std::uint64_t> word_of<by_content>(const packed_record& e, std::size_t level) {
    constexpr auto words = sizeof(sha256_digest) / 8;
    if (level >= words) return word_of_id(e, level - words);
    const auto etag = e.etag();
    return first_bytes(view_of(etag).substr(8 * level));
}
/// No two entries of a tenant have the same key.
template <>
std::optional<std::uint64_t> word_of<by_key>(const packed_record& e, std::size_t level) {
    const auto key = e.key();
    if (8 * level > key.size()) return std::nullopt;
    return first_bytes(key.substr(8 * level));
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

template <class Order>
void sort_words(const entry_table& table, sorted_iterator begin, sorted_iterator end, std::size_t level) {
    for (auto at = begin; at != end; ++at) {
        const auto word = word_of<Order>(table[at->number], level);
        if (!word) return;
        at->word = *word;
    }
    std::sort(begin, end, [](const auto& a, const auto& b) { return a.word < b.word; });
    for_each_tie(begin, end, [&](auto from, auto to) { sort_words<Order>(table, from, to, level + 1); });
}

/// Entries with one prefix, by the whole keys, which are made once for each.
void sort_titles(const entry_table& table, sorted_iterator begin, sorted_iterator end) {
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

template <>
void sort_words<by_title>(const entry_table& table, sorted_iterator begin, sorted_iterator end, std::size_t) {
    for (auto at = begin; at != end; ++at)
        at->word = table[at->number].title_prefix();
    std::sort(begin, end, [](const auto& a, const auto& b) { return a.word < b.word; });
    for_each_tie(begin, end, [&](auto from, auto to) { sort_titles(table, from, to); });
}

}  // namespace

template <class Order>
void sort_in_order(const entry_table& table, std::vector<std::uint32_t>& numbers) {
    std::vector<sorted_number> sorted;
    sorted.reserve(numbers.size());
    for (const auto number : numbers)
        sorted.push_back({0, number});
    sort_words<Order>(table, sorted.begin(), sorted.end(), 0);
    std::transform(sorted.begin(), sorted.end(), numbers.begin(),
                   [](const auto& from) { return from.number; });
}

template void sort_in_order<by_id>(const entry_table&, std::vector<std::uint32_t>&);
template void sort_in_order<by_created_time>(const entry_table&, std::vector<std::uint32_t>&);
template void sort_in_order<by_title>(const entry_table&, std::vector<std::uint32_t>&);
template void sort_in_order<by_key>(const entry_table&, std::vector<std::uint32_t>&);
template void sort_in_order<by_size>(const entry_table&, std::vector<std::uint32_t>&);
template void sort_in_order<by_content>(const entry_table&, std::vector<std::uint32_t>&);
/// All have one tenant.
template <>
void sort_in_order<by_tenant>(const entry_table& table, std::vector<std::uint32_t>& numbers) {
    sort_in_order<by_id>(table, numbers);
}

}  // namespace gallery::kit
