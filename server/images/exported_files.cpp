// SPDX-License-Identifier: Apache-2.0
#include "images/exported_files.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>
#include <gallery/sha256.hpp>
#include <gallery/sub_type.hpp>
#include <gallery/text.hpp>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>

namespace gallery::images {

namespace {

namespace json = boost::json;

/// File systems take 255 bytes; the JSON's name is longer, and temporary names are, too.
constexpr std::size_t longest_name = 200;
constexpr std::size_t hash_digits = 32;

void append_encoded(std::string& out, char c) {
    out += '%';
    append_hex(out, static_cast<std::uint8_t>(c), upper_hex_digits);
}

/// '~' is the mark of a cut name.
bool is_special(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ||
           std::string_view("/\\:*?\"<>|%~").find(c) != std::string_view::npos;
}

/// Of UTF-8: not its first byte.
bool is_within_character(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// At the end of a name, by Windows.
bool is_cut_off(char c) noexcept {
    return c == '.' || c == ' ';
}

/// One of the marks with which text runs in the other direction, so that an ending seems to be another:
/// U+202A to U+202E and U+2066 to U+2069, in UTF-8.
bool turns_direction(std::string_view character) noexcept {
    if (character.size() != 3 || character[0] != '\xe2') return false;
    const auto last = static_cast<unsigned char>(character[2]);
    return (character[1] == '\x80' && last >= 0xaa && last <= 0xae) ||
           (character[1] == '\x81' && last >= 0xa6 && last <= 0xa9);
}

/// Windows takes these names for devices, whatever their ending is.
bool is_device(std::string_view name) noexcept {
    auto stem = name.substr(0, name.find('.'));
    while (!stem.empty() && stem.back() == ' ')
        stem.remove_suffix(1);
    for (const std::string_view device : {"con", "prn", "aux", "nul"}) {
        if (equals_ignoring_case(stem, device)) return true;
    }
    for (const std::string_view device : {"conin$", "conout$"}) {
        if (equals_ignoring_case(stem, device)) return true;
    }
    if (stem.size() < 4) return false;
    const auto port = stem.substr(0, 3);
    if (!equals_ignoring_case(port, "com") && !equals_ignoring_case(port, "lpt")) return false;
    const auto number = stem.substr(3);
    if (number.size() == 1) return number[0] >= '0' && number[0] <= '9';
    // Superscript digits count, too.
    return number == "\xc2\xb9" || number == "\xc2\xb2" || number == "\xc2\xb3";
}

bool is_ascii_small(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x80 && !(c >= 'A' && c <= 'Z');
}

/// What a file system may compare instead of a name.
std::string form_of(std::string_view key) {
    return is_utf8(key) ? collation_key(fold_case(key)) : std::string(key);
}

std::string quoted(std::string_view text) {
    return json::serialize(json::string(text));
}

}  // namespace

image_document document_of(const image_record& record) {
    image_document out;
    out.key = record.key;
    out.title = record.title;
    out.file_name = record.file_name;
    out.sub_type = sub_types.name_of(record.sub_type);
    out.media_type = record.original.media_type;
    out.etag = to_hex(record.original.etag);
    out.public_key = record.public_key;
    out.is_public = record.is_public;
    out.tags = record.tags;
    std::sort(out.tags->begin(), out.tags->end());
    out.created_time = record.created_time;
    return out;
}

std::string sidecar_text(const image_document& about) {
    std::string out = "{\n  \"type\": \"IMAGE\"";
    const auto member = [&out](std::string_view name, std::string_view value) {
        out += ",\n  \"" + std::string(name) + "\": ";
        out += value;
    };
    const auto text = [&member](std::string_view name, const std::string& value) {
        if (!value.empty()) member(name, quoted(value));
    };
    text("subType", about.sub_type);
    text("resourceKey", about.key);
    text("title", about.title);
    text("fileName", about.file_name);
    text("mediaType", about.media_type);
    text("etag", about.etag);
    if (about.is_public) member("public", *about.is_public ? "true" : "false");
    text("publicResourceKey", about.public_key);
    if (about.tags) {
        std::string list = "[";
        for (const auto& tag : *about.tags)
            list += (list.size() == 1 ? "\n    " : ",\n    ") + quoted(tag);
        member("tags", list + (about.tags->empty() ? "]" : "\n  ]"));
    }
    if (about.created_time != 0) member("createdTime", std::to_string(about.created_time));
    return out + "\n}\n";
}

similar_keys::similar_keys(std::span<const std::string_view> keys) {
    struct entry {
        std::size_t form;  ///< its hash: equal ones by chance only make a name longer
        std::string_view key;
        auto operator<=>(const entry&) const = default;
    };
    std::vector<entry> all;
    all.reserve(keys.size());
    for (const auto key : keys)
        all.push_back({std::hash<std::string>()(form_of(key)), key});
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i].form != all[i - 1].form) continue;
        keys_.emplace(all[i - 1].key);
        keys_.emplace(all[i].key);
    }
}

similar_keys similar_keys::of(std::string key) {
    similar_keys out;
    out.keys_.insert(std::move(key));
    return out;
}

std::string picture_file_name(std::string_view key, const similar_keys& similar) {
    std::string out;
    const bool is_similar = similar.contains(key);
    const bool is_device_name = is_device(key);
    const auto json_dot =
        ends_with_ignoring_case(key, sidecar_ending) ? key.size() - sidecar_ending.size() : key.size();
    for (std::size_t i = 0; i < key.size(); ++i) {
        const char c = key[i];
        const bool at_an_end = (i == 0 && c == '.') || (i + 1 == key.size() && (c == '.' || c == ' '));
        // A leading '-' would be taken for an option.
        const bool is_bad_start = i == 0 && (c == '-' || is_device_name);
        if (is_special(c) || at_an_end || is_bad_start || i == json_dot ||
            (is_similar && !is_ascii_small(c))) {
            append_encoded(out, c);
        } else {
            out += c;
        }
    }
    if (out.size() <= longest_name) return out;
    auto end = longest_name - hash_digits - 1;
    // Not within a character of UTF-8, and not within an encoded one.
    while (end > 0 && is_within_character(out[end]))
        --end;
    for (const std::size_t back : {1U, 2U}) {
        if (end >= back && out[end - back] == '%') {
            end -= back;
            break;
        }
    }
    out.resize(end);
    return out + '~' + to_hex(sha256(std::span(key.data(), key.size()))).substr(0, hash_digits);
}

std::string readable_file_name(std::string_view name, unsigned n) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (turns_direction(name.substr(i, 3))) {
            out += '_';
            i += 2;
        } else {
            out += is_special(name[i]) && name[i] != '%' && name[i] != '~' ? '_' : name[i];
        }
    }
    // Hidden, taken for an option, cut off by some systems, or a device of Windows.
    if (out.empty() || out[0] == '.' || out[0] == '-' || is_device(out)) out.insert(0, 1, '_');
    if (is_cut_off(out.back())) out += '_';
    const auto dot = out.rfind('.');
    constexpr std::size_t longest_extension = 16;
    std::string extension;
    if (dot != std::string::npos && dot > 0 && out.size() - dot <= longest_extension) {
        extension = out.substr(dot);
        out.resize(dot);
    }
    if (n > 1) extension = " (" + std::to_string(n) + ")" + extension;
    if (out.size() + extension.size() > longest_name) {
        auto end = longest_name - extension.size();
        while (end > 0 && is_within_character(out[end]))
            --end;
        out.resize(end);
        if (extension.empty() && is_cut_off(out.back())) out.back() = '_';
    }
    return out + extension;
}

bool is_sidecar_name(std::string_view name) noexcept {
    return ends_with_ignoring_case(name, sidecar_ending) && name.size() > sidecar_ending.size() &&
           name[0] != '.';
}

}  // namespace gallery::images
