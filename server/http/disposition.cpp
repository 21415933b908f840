// SPDX-License-Identifier: Apache-2.0
#include "http/disposition.hpp"

#include "http/charset.hpp"
#include "http/fields.hpp"
#include "http/percent.hpp"

#include <gallery/text.hpp>

#include <cstdint>

namespace gallery::http {

namespace {

// Well-formed UTF-8 out of anything: each byte that does not belong to a character becomes U+FFFD.
std::string repair_utf8(std::string_view text) {
    if (is_utf8(text)) return std::string(text);
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t length = 1;
        while (length <= 4 && i + length <= text.size() && !is_utf8(text.substr(i, length)))
            ++length;
        if (length <= 4 && i + length <= text.size()) {
            out += text.substr(i, length);
            i += length;
        } else {
            out += "\xEF\xBF\xBD";
            ++i;
        }
    }
    return out;
}

// RFC 6266, appendix D: no percent signs, backslashes, quotes or anything but ASCII in the plain form.
std::string ascii_fallback(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const auto octet = static_cast<unsigned char>(c);
        if ((octet & 0xC0U) == 0x80U) continue;  // one underscore for a whole character
        const bool plain = octet >= 0x20 && octet < 0x7F && c != '"' && c != '\\' && c != '%' && c != '/';
        out += plain ? c : '_';
    }
    return out;
}

struct parameter {
    std::string_view name;
    std::string value;
};

// The value of a filename parameter: browsers escape a quote as %22 or as \", old ones send paths with
// single backslashes. A backslash is a quoted-pair only before a quote or another backslash.
bool read_value(std::string_view& rest, std::string& value) {
    if (rest.empty() || rest.front() != '"') {
        const auto end = rest.find(';');
        value = trim(rest.substr(0, end));
        rest = end == rest.npos ? std::string_view() : rest.substr(end);
        return !value.empty();
    }
    std::size_t i = 1;
    for (; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) ++i;
        value += rest[i];
    }
    if (i >= rest.size()) return false;
    rest.remove_prefix(i + 1);
    return true;
}

// The three characters that the HTML standard encodes in names, nothing else: "100%.png" stays as it is.
std::string decode_form_escapes(std::string value) {
    for (std::size_t at = 0; (at = value.find('%', at)) != value.npos; ++at) {
        const auto code = std::string_view(value).substr(at, 3);
        const char plain = code == "%22"                       ? '"'
                           : equals_ignoring_case(code, "%0D") ? '\r'
                           : equals_ignoring_case(code, "%0A") ? '\n'
                                                               : '\0';
        if (plain != '\0') value.replace(at, 3, 1, plain);
    }
    return value;
}

// RFC 8187: charset'language'percent-encoded.
std::optional<std::string> decode_ext_value(std::string_view value) {
    const auto first = value.find('\'');
    if (first == value.npos) return std::nullopt;
    const auto second = value.find('\'', first + 1);
    if (second == value.npos) return std::nullopt;
    const auto from = find_charset(value.substr(0, first));
    std::string decoded;
    if (!from || !percent_decode(value.substr(second + 1), decoded)) return std::nullopt;
    return to_utf8(decoded, *from);
}

// RFC 7578, 4.2: a directory in front of the name is not to be used. Old browsers send it.
void cut_directory(std::string& file_name) {
    if (const auto at = file_name.find_last_of("/\\"); at != file_name.npos) file_name.erase(0, at + 1);
}

}  // namespace

std::string content_disposition(disposition_kind kind, std::string_view file_name) {
    std::string out = kind == disposition_kind::attachment ? "attachment" : "inline";
    if (file_name.empty()) return out;
    const auto exact = repair_utf8(file_name);
    const auto fallback = ascii_fallback(exact);
    out += "; filename=\"" + fallback + '"';
    if (fallback != exact) out += "; filename*=UTF-8''" + ext_value_encode(exact);
    return out;
}

std::optional<form_disposition> parse_form_disposition(std::string_view value) {
    const auto semicolon = value.find(';');
    if (!equals_ignoring_case(trim(value.substr(0, semicolon)), "form-data")) return std::nullopt;
    auto rest = semicolon == value.npos ? std::string_view() : value.substr(semicolon);
    form_disposition form;
    bool named = false;
    std::optional<std::string> extended;
    while (!(rest = trim(rest)).empty()) {
        if (rest.front() != ';') return std::nullopt;
        rest = trim(rest.substr(1));
        if (rest.empty() || rest.front() == ';') continue;
        const auto equals = rest.find('=');
        if (equals == rest.npos) return std::nullopt;
        const auto name = trim(rest.substr(0, equals));
        if (!is_token(name)) return std::nullopt;
        rest = trim(rest.substr(equals + 1));
        std::string text;
        if (!read_value(rest, text)) return std::nullopt;
        if (equals_ignoring_case(name, "name")) {
            if (named) return std::nullopt;
            named = true;
            form.name = decode_form_escapes(std::move(text));
        } else if (equals_ignoring_case(name, "filename")) {
            if (!form.file_name) {
                const auto plain = utf8_or_windows_1252(decode_form_escapes(std::move(text)));
                form.file_name = decode_encoded_words(plain);
            }
        } else if (equals_ignoring_case(name, "filename*")) {
            extended = decode_ext_value(text);
        }
    }
    if (!named) return std::nullopt;
    if (extended) form.file_name = std::move(extended);
    if (form.file_name) cut_directory(*form.file_name);
    return form;
}

}  // namespace gallery::http
