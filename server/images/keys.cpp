// SPDX-License-Identifier: Apache-2.0
#include "images/keys.hpp"

#include "auth/random.hpp"

#include <gallery/characters.hpp>
#include <gallery/text.hpp>

#include <algorithm>

namespace gallery::images {
namespace {

constexpr std::size_t public_key_size = 32;

bool continues(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::size_t count_characters(std::string_view text) noexcept {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

// C0, DEL, and in UTF-8 the C1 controls (U+0080 to U+009F).
bool has_control(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x20 || c == 0x7F) return true;
        if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
    }
    return false;
}

error invalid(std::string_view what, std::string_view why) {
    return {errc::invalid_argument, "The " + std::string(what) + " " + std::string(why)};
}

}  // namespace

std::string_view first_characters(std::string_view text, std::size_t count) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        if (!continues(text[at]) && count-- == 0) break;
        ++at;
    }
    return text.substr(0, at);
}

result<void> check_text(std::string_view text, std::string_view what, std::size_t most) {
    if (text.empty()) return invalid(what, "is empty. Give it at least one character.");
    if (!is_utf8(text)) return invalid(what, "is not valid UTF-8. Send it encoded as UTF-8.");
    if (has_control(text)) return invalid(what, "contains a control character. Remove it.");
    if (const auto length = count_characters(text); length > most)
        return invalid(what, "has " + std::to_string(length) + " characters. At most " +
                                 std::to_string(most) + " are allowed.");
    return {};
}

result<void> check_name(std::string_view name, std::string_view what) {
    if (auto checked = check_text(name, what); !checked) return checked;
    if (name.find_first_of("/\\") != std::string_view::npos)
        return invalid(what, "contains a path separator. Use only the name of the file.");
    if (name == "." || name == "..") return invalid(what, "is not a valid file name. Use another one.");
    return {};
}

std::string key_candidate(std::string_view file_name, std::size_t n) {
    if (n == 0) return std::string(file_name);
    const auto dot = file_name.rfind('.');
    auto stem = file_name.substr(0, dot);
    auto extension = dot == std::string_view::npos ? std::string_view() : file_name.substr(dot);
    if (extension == ".") extension = {};  // as in ThingsBoard, a dot at the end goes
    const auto suffix = "_(" + std::to_string(n) + ")";
    const auto fixed = suffix.size() + count_characters(extension);
    if (fixed >= max_name_characters) {  // the "extension" is nearly all of the name
        stem = file_name;
        extension = {};
    }
    stem = first_characters(stem, max_name_characters - suffix.size() - count_characters(extension));
    std::string key;
    key.reserve(stem.size() + suffix.size() + extension.size());
    return key.append(stem).append(suffix).append(extension);
}

std::string new_public_key() {
    return auth::random_alphanumerics(public_key_size);
}

bool is_public_key(std::string_view text) noexcept {
    return text.size() == public_key_size && std::all_of(text.begin(), text.end(), is_ascii_alphanumeric);
}

}  // namespace gallery::images
