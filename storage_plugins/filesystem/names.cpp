// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"

#include <gallery/encode.hpp>
#include <gallery/media_type.hpp>
#include <gallery/sha256.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace gallery::file_store {
namespace {

constexpr std::size_t longest_name = 255;  // NAME_MAX of every file system that matters
constexpr std::size_t hash_length = 24;

bool is_plain(char c) {
    static constexpr std::string_view punctuation = "._-()+,=@ ";
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || punctuation.find(c) != std::string_view::npos;
}

/// 120 bits of the key's SHA-256 in base 32 with letters of one case.
std::string hash_of(std::string_view key) {
    static constexpr char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    const auto digest = sha256(key);
    std::string text;
    std::uint32_t bits = 0;
    int available = 0;
    for (std::size_t i = 0; text.size() < hash_length; ++i) {
        bits = bits << 8 | std::to_integer<std::uint32_t>(digest[i]);
        for (available += 8; available >= 5 && text.size() < hash_length; available -= 5)
            text += letters[bits >> (available - 5) & 31];
    }
    return text;
}

std::size_t sequence_length(unsigned char lead) {
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// Characters that show nothing, or reorder what is around them.
bool is_invisible(char32_t c) {
    return c < 0xA1 || c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
           (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
           (c >= 0xFFF0 && c <= 0xFFFF) || c >= 0xE0000;
}

char32_t code_point(std::string_view sequence) {
    const auto lead = static_cast<unsigned char>(sequence[0]);
    char32_t value = sequence.size() == 2 ? lead & 0x1Fu : sequence.size() == 3 ? lead & 0x0Fu : lead & 0x07u;
    for (const char c : sequence.substr(1))
        value = value << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
    return value;
}

std::string percent(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        text += '%';
        append_hex(text, static_cast<std::uint8_t>(c), upper_hex_digits);
    }
    return text;
}

/// As much of the key as fits, as it is where that can be shown and typed.
std::string readable(std::string_view key, std::size_t room) {
    static constexpr std::string_view escaped = "/\\%~*?\"'`<>|:;$&!#[]{}^";
    std::string text;
    while (!key.empty()) {
        const auto part =
            key.substr(0, std::min(sequence_length(static_cast<unsigned char>(key[0])), key.size()));
        const bool as_is = part.size() == 1
                               ? part[0] >= ' ' && part[0] < 0x7F &&
                                     escaped.find(part[0]) == std::string_view::npos &&
                                     !(text.empty() && (part[0] == '.' || part[0] == '-' || part[0] == ' '))
                               : !is_invisible(code_point(part));
        const auto shown = as_is ? std::string(part) : percent(part);
        if (text.size() + shown.size() > room) break;
        text += shown;
        key.remove_prefix(part.size());
    }
    return text;
}

/// Devices of other systems, which cannot have files of these names.
bool is_device(std::string_view key) {
    const auto stem = key.substr(0, key.find('.'));
    static constexpr std::array<std::string_view, 4> names = {"con", "prn", "aux", "nul"};
    if (std::find(names.begin(), names.end(), stem) != names.end()) return true;
    return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt"));
}

constexpr std::size_t revision_digits = 20;

struct way_of_keeping {
    std::string_view word;
    bool is_erased;
    bool is_copy;
};
constexpr std::array<way_of_keeping, 4> ways_of_keeping = {{
    {"replaced", false, false},
    {"erased", true, false},
    {"copied", false, true},
    {"copied-erased", true, true},
}};

std::string random_suffix() {
    auto text = to_string(random_uuid());
    text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
    return text;
}

}  // namespace

std::string folder_name(std::string_view key) {
    const bool as_is = !key.empty() && key.size() <= longest_name - hash_length - 1 &&
                       std::all_of(key.begin(), key.end(), is_plain) && key.front() != '.' &&
                       key.front() != '-' && key.front() != ' ' && key.back() != '.' && key.back() != ' ' &&
                       !is_device(key);
    if (as_is) return std::string(key);
    return readable(key, longest_name - hash_length - 1) + '~' + hash_of(key);
}

std::string body_name(const image_record& record, bool preview) {
    const std::string_view type = (preview ? record.preview : record.original).media_type;
    const auto extension = type.starts_with("image/") ? extension_of(type) : std::string_view();
    return (preview ? "preview." : "original.") + std::string(extension.empty() ? "bin" : extension);
}

std::string temporary_name() {
    return std::string(temporary_prefix) + random_suffix();
}

std::string replaced_name() {
    return std::string(replaced_prefix) + random_suffix();
}

std::string padded(revision rev) {
    auto digits = std::to_string(rev);
    return std::string(revision_digits - digits.size(), '0') + digits;
}

std::optional<std::uint64_t> parse_number(std::string_view digits) {
    std::uint64_t value = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [stop, failure] = std::from_chars(digits.data(), end, value);
    if (failure != std::errc{} || stop != end) return std::nullopt;
    return value;
}

std::string erased_name(revision rev, std::string_view what) {
    return std::string(erased_prefix) + padded(rev) + '-' + std::string(what);
}

std::string dropped_name(revision rev, std::string_view what) {
    return std::string(dropped_prefix) + padded(rev) + '-' + std::string(what);
}

std::optional<revision> erased_revision(std::string_view name) {
    for (const auto prefix : {erased_prefix, dropped_prefix})
        if (name.starts_with(prefix)) return parse_number(name.substr(prefix.size(), revision_digits));
    return std::nullopt;
}

std::string kept_name(const kept_facts& facts) {
    const auto how = std::find_if(ways_of_keeping.begin(), ways_of_keeping.end(), [&](const auto& way) {
        return way.is_copy == facts.is_copy && way.is_erased == facts.is_erased;
    });
    return std::string(kept_prefix) + padded(facts.kept_rev) + '-' + std::to_string(facts.kept_time) + '-' +
           std::string(how->word);
}

std::string kept_name(const kept_version& version) {
    return kept_name(
        {version.kept_rev, version.kept_time, version.is_erased, version.record->rev == version.kept_rev});
}

std::optional<kept_facts> parse_kept_name(std::string_view name) {
    if (!name.starts_with(kept_prefix)) return std::nullopt;
    name.remove_prefix(kept_prefix.size());
    const auto rev = parse_number(name.substr(0, revision_digits));
    if (!rev || name.size() <= revision_digits || name[revision_digits] != '-') return std::nullopt;
    name.remove_prefix(revision_digits + 1);
    kept_facts facts;
    facts.kept_rev = *rev;
    const auto [stop, failure] = std::from_chars(name.data(), name.data() + name.size(), facts.kept_time);
    if (failure != std::errc{} || stop == name.data() + name.size() || *stop != '-') return std::nullopt;
    const std::string_view word(stop + 1, static_cast<std::size_t>(name.data() + name.size() - stop - 1));
    for (const auto& way : ways_of_keeping) {
        if (way.word != word) continue;
        facts.is_copy = way.is_copy;
        facts.is_erased = way.is_erased;
        return facts;
    }
    return std::nullopt;
}

}  // namespace gallery::file_store
