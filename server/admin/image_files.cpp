// SPDX-License-Identifier: Apache-2.0
#include "admin/image_files.hpp"

#include "admin/image_document.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>

#include <cstdint>

namespace gallery::admin {

namespace {

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

bool ends_with_ignoring_case(std::string_view text, std::string_view ending) noexcept {
    return text.size() >= ending.size() &&
           equals_ignoring_case(text.substr(text.size() - ending.size()), ending);
}

}  // namespace

std::string picture_file_name(std::string_view key) {
    std::string out;
    const auto json_dot =
        ends_with_ignoring_case(key, sidecar_ending) ? key.size() - sidecar_ending.size() : key.size();
    for (std::size_t i = 0; i < key.size(); ++i) {
        const char c = key[i];
        const bool at_an_end = (i == 0 && c == '.') || (i + 1 == key.size() && (c == '.' || c == ' '));
        // A leading '-' would be taken for an option.
        if (is_special(c) || at_an_end || (i == 0 && c == '-') || i == json_dot) {
            append_encoded(out, c);
        } else {
            out += c;
        }
    }
    if (out.size() <= longest_name) return out;
    auto end = longest_name - hash_digits - 1;
    // Not within a character of UTF-8, and not within an encoded one.
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U)
        --end;
    for (const std::size_t back : {1U, 2U}) {
        if (end >= back && out[end - back] == '%') {
            end -= back;
            break;
        }
    }
    out.resize(end);
    return out + '~' + etag_of(key).substr(0, hash_digits);
}

bool is_sidecar_name(std::string_view name) noexcept {
    return ends_with_ignoring_case(name, sidecar_ending) && name.size() > sidecar_ending.size() &&
           name[0] != '.';
}

std::optional<std::string> wrong_in_archive(std::string_view name) {
    if (name.empty()) return "is empty";
    if (name[0] == '/' || name.find('\\') != std::string_view::npos ||
        name.find('\0') != std::string_view::npos || (name.size() > 1 && name[1] == ':')) {
        return "is not a relative path";
    }
    while (!name.empty()) {
        const auto slash = name.find('/');
        if (name.substr(0, slash) == "..") return "leads out of the archive";
        name = slash == std::string_view::npos ? std::string_view() : name.substr(slash + 1);
    }
    return std::nullopt;
}

}  // namespace gallery::admin
