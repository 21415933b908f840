// SPDX-License-Identifier: Apache-2.0
// The idea. A block is read once, 64 bytes at a time. Two bytes of the part are compared with all 64 places
// at once, in both cases; where both match, the whole part is compared. The same pass finds the NULs that end
// the texts. The number of NULs before a match is the number of its text, so nothing is stored besides the
// texts, and a part that almost every text contains costs little more than one that none contains.
//
// The two bytes are those of the part that are rarest in names, as estimated by a table.
//
// The invariant. A part contains no NUL, so no match spans two texts, and a comparison that begins in a text
// ends in it.
//
// The cost. 1 to 3 bytes a cycle without AVX2 and twice that with it, if the block is in the processor's
// cache, and the speed of memory otherwise. A match costs a few cycles more.
#include "text_scan.hpp"

#include <gallery/characters.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gallery::kit {
namespace {

constexpr std::size_t scan_step = 64;
constexpr std::size_t furthest_place = scan_padding - scan_step;

/// Larger for bytes that are found more often in names.
int frequency(char c) {
    constexpr std::string_view order = "qzxjwkvyfbhpgumdclsnortiae";  // letters, the rarest first
    const auto byte = static_cast<unsigned char>(c);
    if (const auto rank = order.find(c); rank != std::string_view::npos) return static_cast<int>(rank) + 4;
    if (c >= '0' && c <= '9') return 24;
    if (c == ' ' || c == '-' || c == '_' || c == '.') return 28;
    if (byte >= 0xC0) return 26;  // begins a character, and is the same for a whole script
    return byte >= 0x80 ? 12 : 2;
}

char other_case(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c ^ 0x20) : c;
}

std::uint64_t word_at(const char* from) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    return word;
}

/// Eight bytes with letters of ASCII in lower case.
std::uint64_t lower(std::uint64_t word) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101ULL;
    constexpr std::uint64_t high = 0x80 * ones;
    const auto low_bits = word & ~high;
    // The carry into the highest bit of each byte is the comparison.
    const auto from_a = low_bits + (0x80 - 'A') * ones;
    const auto behind_z = low_bits + (0x7F - 'Z') * ones;
    const auto is_upper = (from_a ^ behind_z) & ~word & high;
    return word | is_upper >> 2;
}

bool has_avx2() noexcept {
#if defined(__x86_64__)
    static const bool has =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi");
    return has;
#else
    return false;
#endif
}

}  // namespace

std::span<const scan_method> scan_methods() noexcept {
    static constexpr std::array all = {scan_method::bytewise, scan_method::sse2, scan_method::avx2};
#if defined(__x86_64__)
    return {all.data(), has_avx2() ? 3U : 2U};
#else
    return {all.data(), 1};
#endif
}

text_pattern::text_pattern(std::string_view part) : text_pattern(part, scan_methods().back()) {}

text_pattern::text_pattern(std::string_view part, scan_method how) : part_(part), how_(how) {
    const auto places = std::min(part_.size(), furthest_place);
    const auto rarest = [&](std::size_t except) {
        std::size_t best = except == 0 ? 1 : 0;
        for (std::size_t i = 0; i < places; ++i)
            if (i != except && frequency(part_[i]) < frequency(part_[best])) best = i;
        return best;
    };
    if (places > 1) {
        place_[0] = rarest(places);
        place_[1] = rarest(place_[0]);
    }
    for (int i = 0; i < 2; ++i) {
        byte_[i] = part_[place_[i]];
        other_case_[i] = other_case(byte_[i]);
    }
    is_checked_ = part_.size() > 2;
    const auto left = part_.size() % 8;
    std::memcpy(&last_word_, part_.data() + part_.size() - left, left);
    std::memset(&last_mask_, 0xFF, left);
}

void text_pattern::find(std::string_view block, std::uint64_t* found) const {
    if (part_.find('\0') != std::string::npos) return;
    switch (how_) {
        case scan_method::bytewise:
            return find_bytewise(block, found);
        case scan_method::sse2:
            return find_sse2(block, found);
        case scan_method::avx2:
            return find_avx2(block, found);
    }
}

/// Whether the part is at this place. Reads up to seven bytes behind the NUL that ends the text.
[[gnu::always_inline]] inline bool text_pattern::matches(const char* at) const noexcept {
    const char* wanted = part_.data();
    auto left = part_.size();
    for (; left >= 8; left -= 8, at += 8, wanted += 8)
        if (lower(word_at(at)) != word_at(wanted)) return false;
    return left == 0 || ((lower(word_at(at)) ^ last_word_) & last_mask_) == 0;
}

/// Sets the bits of the texts with matches in one step. @p hits: places where the two bytes match. @p ends:
/// places of NULs. @p first: the number of the text that the step begins in.
[[gnu::always_inline]] inline void text_pattern::mark(std::uint64_t hits, std::uint64_t ends,
                                                      std::size_t first, const char* at,
                                                      std::uint64_t* found) const noexcept {
    while (hits != 0) {
        const auto place = static_cast<unsigned>(std::countr_zero(hits));
        if (is_checked_ && !matches(at + place)) {
            hits &= hits - 1;
            continue;
        }
        const auto behind = ~std::uint64_t{0} << place;
        const auto text = first + static_cast<std::size_t>(std::popcount(ends & ~behind));
        found[text / 64] |= std::uint64_t{1} << text % 64;
        // The rest of this text need not be looked at.
        const auto next_ends = ends & behind;
        if (next_ends == 0) return;
        hits &= ~std::uint64_t{0} << std::countr_zero(next_ends);
    }
}

void text_pattern::find_bytewise(std::string_view block, std::uint64_t* found) const {
    std::size_t text = 0;
    for (std::size_t at = 0; at < block.size(); ++at) {
        if (block[at] == '\0')
            ++text;
        else if (ascii_lower(block[at]) == part_.front() && matches(block.data() + at))
            found[text / 64] |= std::uint64_t{1} << text % 64;
    }
}

#if defined(__x86_64__)

namespace {

/// The places behind the end of the block are not compared.
std::uint64_t inside(std::size_t left) noexcept {
    return left >= scan_step ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
}

std::uint64_t equal_sse2(const char* at, __m128i byte, __m128i other) noexcept {
    std::uint64_t found = 0;
    for (int part = 3; part >= 0; --part) {
        const auto data = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at) + part);
        const auto equal = _mm_or_si128(_mm_cmpeq_epi8(data, byte), _mm_cmpeq_epi8(data, other));
        found = found << 16 | static_cast<std::uint16_t>(_mm_movemask_epi8(equal));
    }
    return found;
}

[[gnu::target("avx2,popcnt,bmi")]] inline std::uint64_t equal_avx2(const char* at, __m256i byte,
                                                                   __m256i other) noexcept {
    const auto* const data = reinterpret_cast<const __m256i*>(at);
    const auto low = _mm256_loadu_si256(data);
    const auto high = _mm256_loadu_si256(data + 1);
    const auto low_equal = _mm256_or_si256(_mm256_cmpeq_epi8(low, byte), _mm256_cmpeq_epi8(low, other));
    const auto high_equal = _mm256_or_si256(_mm256_cmpeq_epi8(high, byte), _mm256_cmpeq_epi8(high, other));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(low_equal)) |
           std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high_equal))} << 32;
}

}  // namespace

void text_pattern::find_sse2(std::string_view block, std::uint64_t* found) const {
    const auto none = _mm_setzero_si128();
    const auto byte0 = _mm_set1_epi8(byte_[0]);
    const auto other0 = _mm_set1_epi8(other_case_[0]);
    const auto byte1 = _mm_set1_epi8(byte_[1]);
    const auto other1 = _mm_set1_epi8(other_case_[1]);
    std::size_t text = 0;
    for (std::size_t at = 0; at < block.size(); at += scan_step) {
        const char* const here = block.data() + at;
        const auto ends = equal_sse2(here, none, none);
        auto hits = equal_sse2(here + place_[0], byte0, other0) & inside(block.size() - at);
        if (hits != 0) hits &= equal_sse2(here + place_[1], byte1, other1);
        if (hits != 0) mark(hits, ends, text, here, found);
        text += static_cast<std::size_t>(std::popcount(ends));
    }
}

[[gnu::target("avx2,popcnt,bmi")]] void text_pattern::find_avx2(std::string_view block,
                                                                std::uint64_t* found) const {
    const auto none = _mm256_setzero_si256();
    const auto byte0 = _mm256_set1_epi8(byte_[0]);
    const auto other0 = _mm256_set1_epi8(other_case_[0]);
    const auto byte1 = _mm256_set1_epi8(byte_[1]);
    const auto other1 = _mm256_set1_epi8(other_case_[1]);
    std::size_t text = 0;
    for (std::size_t at = 0; at < block.size(); at += scan_step) {
        const char* const here = block.data() + at;
        const auto ends = equal_avx2(here, none, none);
        const auto hits = equal_avx2(here + place_[0], byte0, other0) &
                          equal_avx2(here + place_[1], byte1, other1) & inside(block.size() - at);
        if (hits != 0) mark(hits, ends, text, here, found);
        text += static_cast<std::size_t>(std::popcount(ends));
    }
}

#else

void text_pattern::find_sse2(std::string_view block, std::uint64_t* found) const {
    find_bytewise(block, found);
}
void text_pattern::find_avx2(std::string_view block, std::uint64_t* found) const {
    find_bytewise(block, found);
}

#endif

}  // namespace gallery::kit
