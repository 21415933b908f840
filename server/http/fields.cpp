// SPDX-License-Identifier: Apache-2.0
#include "http/fields.hpp"

#include "http/scan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gallery::http {

namespace {

struct field_name {
    std::string_view name;
    field id;
};

// In the enumeration's order; lower case.
constexpr std::array<field_name, known_fields> names{{
    {"content-length", field::content_length},
    {"expect", field::expect},
    {"origin", field::origin},
    {"transfer-encoding", field::transfer_encoding},
    {"accept", field::accept},
    {"accept-encoding", field::accept_encoding},
    {"authorization", field::authorization},
    {"connection", field::connection},
    {"content-encoding", field::content_encoding},
    {"content-type", field::content_type},
    {"cookie", field::cookie},
    {"host", field::host},
    {"if-match", field::if_match},
    {"if-modified-since", field::if_modified_since},
    {"if-none-match", field::if_none_match},
    {"if-range", field::if_range},
    {"if-unmodified-since", field::if_unmodified_since},
    {"proxy-connection", field::proxy_connection},
    {"range", field::range},
    {"referer", field::referer},
    {"te", field::te},
    {"trailer", field::trailer},
    {"upgrade", field::upgrade},
    {"user-agent", field::user_agent},
    {"x-authorization", field::x_authorization},
    {"x-forwarded-for", field::x_forwarded_for},
    {"x-forwarded-proto", field::x_forwarded_proto},
    {"x-request-id", field::x_request_id},
}};

constexpr std::size_t longest_name = [] {
    std::size_t longest = 0;
    for (const auto& each : names)
        longest = std::max(longest, each.name.size());
    return longest;
}();
static_assert(longest_name <= 24, "spelled_as() compares three words");

// A name for comparing by words: its letters, and which bits of a letter do not count. A hyphen has no other
// spelling (0x0D with the bit for lower case would look like one).
struct pattern {
    std::array<char, 24> text{};
    std::array<char, 24> ignored{};
    std::uint8_t size = 0;
    field id = field::other;
};

constexpr std::size_t slot_count = 128;
// The factors are such that no two names meet.
constexpr std::size_t slot_of(std::size_t length, char first, char last) noexcept {
    return (length + (static_cast<unsigned char>(first) | 0x20U) * 4 +
            (static_cast<unsigned char>(last) | 0x20U)) %
           slot_count;
}

// Length, first and last letter leave one candidate.
struct name_table {
    std::array<std::uint8_t, slot_count> slots{};      // position + 1
    std::array<pattern, known_fields + 1> patterns{};  // the first has no name
    bool is_perfect = true;
    constexpr name_table() {
        for (std::size_t i = 0; i < known_fields; ++i) {
            const auto& name = names[i].name;
            auto& filled = patterns[i + 1];
            filled.size = static_cast<std::uint8_t>(name.size());
            filled.id = names[i].id;
            for (std::size_t k = 0; k < name.size(); ++k) {
                filled.text[k] = name[k];
                filled.ignored[k] = name[k] == '-' ? '\0' : ' ';
            }
            auto& slot = slots[slot_of(name.size(), name.front(), name.back())];
            if (slot != 0) is_perfect = false;
            slot = static_cast<std::uint8_t>(i + 1);
        }
    }
};
constexpr name_table table;
static_assert(table.is_perfect, "two names share a slot: choose other factors in slot_of()");

template <class Word>
bool same_word(const char* name, const pattern& known, std::size_t at) noexcept {
    Word letters;
    Word text;
    Word ignored;
    std::memcpy(&letters, name + at, sizeof letters);
    std::memcpy(&text, known.text.data() + at, sizeof text);
    std::memcpy(&ignored, known.ignored.data() + at, sizeof ignored);
    return static_cast<Word>(letters | ignored) == text;
}

// By words that overlap where the length is no multiple of theirs. Precondition: as long as the pattern.
bool spelled_as(const char* name, const pattern& known) noexcept {
    using eight = std::uint64_t;
    using four = std::uint32_t;
    const std::size_t size = known.size;
    if (size >= 8) {
        return same_word<eight>(name, known, 0) && same_word<eight>(name, known, size - 8) &&
               (size <= 16 || same_word<eight>(name, known, 8));
    }
    if (size >= 4) return same_word<four>(name, known, 0) && same_word<four>(name, known, size - 4);
    for (std::size_t i = 0; i < size; ++i) {
        if (!same_word<std::uint8_t>(name, known, i)) return false;
    }
    return true;
}

}  // namespace

field parse_field(std::string_view name) noexcept {
    if (name.empty()) return field::other;
    const auto& known = table.patterns[table.slots[slot_of(name.size(), name.front(), name.back())]];
    return name.size() == known.size && spelled_as(name.data(), known) ? known.id : field::other;
}

bool is_token(std::string_view text) noexcept {
    const char* const end = text.data() + text.size();
    return !text.empty() && scan::token(text.data(), end) == end;
}

}  // namespace gallery::http
