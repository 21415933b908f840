// SPDX-License-Identifier: Apache-2.0
/// A hash table of entry numbers that does not store the keys.
///
/// The idea. The key of a number is in its entry, so the table stores 5 bytes a place: the number and a tag
/// of 7 bits of its hash. A look-up compares tags first and reads an entry only where the tag matches. Places
/// are probed one after the other. The invariant. Between the home of a number and its place there is no free
/// place. An erasure therefore moves numbers back instead of leaving a mark. The cost. O(1); 6 to 8 bytes a
/// number. Growing reads all entries again to learn their hashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace gallery::kit {

/// Spreads the bits of a hash evenly; the table needs all of them.
inline std::uint64_t mix(std::uint64_t hash) noexcept {
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdULL;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53ULL;
    return hash ^ hash >> 33;
}

/// Hashes are results of mix(). Functions that may move numbers take @p hash_of(number). Not thread-safe.
class number_table {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// The number with this hash for which @p is_wanted(number) holds.
    template <class IsWanted>
    [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t hash, IsWanted is_wanted) const {
        const auto at = place_of(hash, is_wanted);
        return at == none ? std::nullopt : std::optional(numbers_[at]);
    }

    /// Precondition: the table does not contain @p number.
    template <class HashOf>
    void insert(std::uint64_t hash, std::uint32_t number, HashOf hash_of) {
        reserve(size_ + 1, hash_of);
        add(hash, number);
        ++size_;
    }

    /// Returns whether it was there.
    template <class HashOf>
    bool erase(std::uint64_t hash, std::uint32_t number, HashOf hash_of) {
        auto free = place_of(hash, [number](std::uint32_t other) { return other == number; });
        if (free == none) return false;
        for (auto at = next(free); tags_[at] != 0; at = next(at)) {
            // It may move back unless its home is behind the free place.
            const auto home = home_of(hash_of(numbers_[at]));
            const bool is_behind = free < at ? free < home && home <= at : free < home || home <= at;
            if (is_behind) continue;
            tags_[free] = tags_[at];
            numbers_[free] = numbers_[at];
            free = at;
        }
        tags_[free] = 0;
        --size_;
        return true;
    }

    /// Makes room for @p count numbers; for many at once, exactly.
    template <class HashOf>
    void reserve(std::size_t count, HashOf hash_of) {
        if (count <= room(tags_.size())) return;
        number_table grown;
        auto places = count + count / 4 + 8;
        if (count == size_ + 1) places += places / 4;
        grown.tags_.resize(places);
        grown.numbers_.resize(places);
        for (std::size_t at = 0; at < tags_.size(); ++at)
            if (tags_[at] != 0) grown.add(hash_of(numbers_[at]), numbers_[at]);
        grown.size_ = size_;
        *this = std::move(grown);
    }

private:
    static constexpr std::size_t none = ~std::size_t{0};

    /// Numbers that so many places hold: four fifths, so that runs stay short.
    static std::size_t room(std::size_t places) noexcept { return places - (places + 4) / 5; }
    static std::uint8_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint8_t>(hash | 0x80); }
    [[nodiscard]] std::size_t home_of(std::uint64_t hash) const noexcept {
        return static_cast<std::size_t>((hash >> 32) * tags_.size() >> 32);
    }
    [[nodiscard]] std::size_t next(std::size_t at) const noexcept {
        return at + 1 == tags_.size() ? 0 : at + 1;
    }

    template <class IsWanted>
    [[nodiscard]] std::size_t place_of(std::uint64_t hash, IsWanted is_wanted) const {
        if (tags_.empty()) return none;
        for (auto at = home_of(hash); tags_[at] != 0; at = next(at))
            if (tags_[at] == tag_of(hash) && is_wanted(numbers_[at])) return at;
        return none;
    }
    void add(std::uint64_t hash, std::uint32_t number) noexcept {
        auto at = home_of(hash);
        while (tags_[at] != 0)
            at = next(at);
        tags_[at] = tag_of(hash);
        numbers_[at] = number;
    }

    std::vector<std::uint8_t> tags_;  ///< 0: the place is free
    std::vector<std::uint32_t> numbers_;
    std::size_t size_ = 0;
};

}  // namespace gallery::kit
