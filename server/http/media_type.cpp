// SPDX-License-Identifier: Apache-2.0
#include "http/media_type.hpp"

#include "http/fields.hpp"

#include <gallery/media_type.hpp>

namespace gallery::http {

std::optional<media_type> media_type::parse(std::string_view text) noexcept {
    text = trim(text);
    const auto semicolon = text.find(';');
    const auto essence = trim(text.substr(0, semicolon));
    const auto slash = essence.find('/');
    if (slash == essence.npos) return std::nullopt;
    media_type parsed;
    parsed.type = essence.substr(0, slash);
    parsed.subtype = essence.substr(slash + 1);
    if (!is_token(parsed.type) || !is_token(parsed.subtype)) return std::nullopt;
    if (semicolon != text.npos) parsed.parameters = text.substr(semicolon);
    return parsed;
}

bool media_type::is(std::string_view essence) const noexcept {
    const auto slash = essence.find('/');
    return slash != essence.npos && equals_ignoring_case(type, essence.substr(0, slash)) &&
           equals_ignoring_case(subtype, essence.substr(slash + 1));
}

std::optional<std::string> media_type::parameter(std::string_view name) const {
    std::string_view rest = parameters;
    while (!rest.empty()) {
        rest = trim(rest);
        if (rest.empty() || rest.front() != ';') return std::nullopt;
        rest = trim(rest.substr(1));
        if (rest.empty() || rest.front() == ';') continue;  // empty parameters are allowed
        const auto equals = rest.find('=');
        if (equals == rest.npos) return std::nullopt;
        const auto key = rest.substr(0, equals);
        if (!is_token(key)) return std::nullopt;
        rest.remove_prefix(equals + 1);
        std::string value;
        if (!rest.empty() && rest.front() == '"') {
            std::size_t i = 1;
            for (; i < rest.size() && rest[i] != '"'; ++i) {
                if (rest[i] == '\\' && ++i == rest.size()) return std::nullopt;
                value += rest[i];
            }
            if (i >= rest.size()) return std::nullopt;
            rest.remove_prefix(i + 1);
        } else {
            const auto end = rest.find_first_of("; \t");
            const auto token = rest.substr(0, end);
            if (!is_token(token)) return std::nullopt;
            value = token;
            rest.remove_prefix(token.size());
        }
        if (equals_ignoring_case(key, name)) return value;
    }
    return std::nullopt;
}

bool is_json(std::string_view content_type) noexcept {
    const auto parsed = media_type::parse(content_type);
    if (!parsed) return false;
    if (parsed->is("application/json")) return true;
    const auto subtype = parsed->subtype;
    return subtype.size() > 5 && equals_ignoring_case(subtype.substr(subtype.size() - 5), "+json");
}

std::string media_type_of_file(std::string_view name) {
    const auto dot = name.rfind('.');
    const auto type =
        dot == name.npos ? std::string_view() : media_type_of(ascii_lower(name.substr(dot + 1)));
    if (type.empty()) return "application/octet-stream";
    return std::string(type) + (type.starts_with("text/") ? "; charset=utf-8" : "");
}

}  // namespace gallery::http
