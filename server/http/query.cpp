// SPDX-License-Identifier: Apache-2.0
#include "http/query.hpp"

#include "http/percent.hpp"

#include <gallery/text.hpp>

#include <charconv>

namespace gallery::http {

namespace {

error broken(std::string_view name, std::string_view why) {
    return {errc::invalid_argument, "Request parameter '" + std::string(name) + "' " + std::string(why)};
}

result<std::string> decoded(std::string_view name, std::string_view raw) {
    std::string value;
    if (!form_decode(raw, value))
        return broken(name, "contains a '%' without two hexadecimal digits after it");
    if (!is_utf8(value)) return broken(name, "is not valid UTF-8");
    return value;
}

// Names are compared undecoded where that is enough, which is nearly always.
bool names_match(std::string_view raw, std::string_view name) {
    if (raw == name) return true;
    if (raw.find_first_of("%+") == raw.npos) return false;
    std::string decoded;
    return form_decode(raw, decoded) && decoded == name;
}

}  // namespace

std::optional<std::string_view> query_view::next(std::string_view& rest, std::string_view name,
                                                 bool& bare) noexcept {
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const auto pair = rest.substr(0, end);
        rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
        const auto equals = pair.find('=');
        if (!names_match(pair.substr(0, equals), name)) continue;
        bare = equals == pair.npos;
        return bare ? std::string_view() : pair.substr(equals + 1);
    }
    return std::nullopt;
}

std::optional<std::string_view> query_view::find(std::string_view name, bool& bare) const noexcept {
    std::string_view rest = raw_;
    return next(rest, name, bare);
}

bool query_view::has(std::string_view name) const noexcept {
    bool bare = false;
    return find(name, bare).has_value();
}

result<std::optional<std::string>> query_view::get(std::string_view name) const {
    bool bare = false;
    const auto raw = find(name, bare);
    if (!raw) return std::optional<std::string>();
    auto value = decoded(name, *raw);
    if (!value) return value.error();
    return std::optional<std::string>(std::move(*value));
}

result<std::vector<std::string>> query_view::get_all(std::string_view name) const {
    std::vector<std::string> all;
    bool bare = false;
    std::string_view rest = raw_;
    while (const auto raw = next(rest, name, bare)) {
        auto value = decoded(name, *raw);
        if (!value) return value.error();
        all.push_back(std::move(*value));
    }
    return all;
}

result<std::string> query_view::require(std::string_view name) const {
    auto value = get(name);
    if (!value) return value.error();
    if (!*value) {
        return error{errc::invalid_argument,
                     "Required request parameter '" + std::string(name) + "' is not present"};
    }
    return std::move(**value);
}

result<std::optional<std::int64_t>> query_view::get_integer(std::string_view name) const {
    const auto value = get(name);
    if (!value) return value.error();
    if (!*value) return std::optional<std::int64_t>();
    const auto& text = **value;
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure == std::errc::result_out_of_range) {
        return broken(name, "is out of range: '" + text + "'");
    }
    if (failure != std::errc() || end != text.data() + text.size()) {
        return broken(name, "must be a whole number, not '" + text + "'");
    }
    return std::optional<std::int64_t>(number);
}

result<std::optional<bool>> query_view::get_boolean(std::string_view name) const {
    bool bare = false;
    if (find(name, bare) && bare) return std::optional<bool>(true);
    const auto value = get(name);
    if (!value) return value.error();
    if (!*value) return std::optional<bool>();
    const auto& text = **value;
    if (text.empty()) return std::optional<bool>();  // as Spring has it
    const auto parsed = parse_boolean(text);
    if (!parsed)
        return broken(name,
                      "must be true or false (or yes, no, on, off, 1, 0), not '" + text.substr(0, 80) + "'");
    return parsed;
}

}  // namespace gallery::http
