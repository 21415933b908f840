// SPDX-License-Identifier: Apache-2.0
#include "admin/dump_rows.hpp"

#include <gallery/encode.hpp>

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 10> needed{
    "created_time", "tenant_id", "title", "resource_type", "resource_key",
    "file_name",    "data",      "etag",  "is_public",     "public_resource_key"};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '"'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '"'))
        text.remove_suffix(1);
    return text;
}

/// COPY's escapes of text format (PostgreSQL's documentation of COPY, "Text Format").
std::string unescaped(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    const auto digit = [&value](std::size_t at, int base) {
        const int number = at < value.size() ? hex_value(value[at]) : -1;
        return number < base ? number : -1;
    };
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] != '\\' || i + 1 == value.size()) {
            out += value[i];
            continue;
        }
        const char c = value[++i];
        constexpr std::string_view letters = "bfnrtv";
        constexpr std::string_view meant = "\b\f\n\r\t\v";
        int number = 0;
        if (const auto at = letters.find(c); at != std::string_view::npos) {
            out += meant[at];
        } else if (digit(i, 8) >= 0) {
            for (int count = 0; count < 3 && digit(i, 8) >= 0; ++count)
                number = number * 8 + digit(i++, 8);
            --i;
            out += static_cast<char>(number);
        } else if (c == 'x' && digit(i + 1, 16) >= 0) {
            for (int count = 0; count < 2 && digit(i + 1, 16) >= 0; ++count)
                number = number * 16 + digit(++i, 16);
            out += static_cast<char>(number);
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

outcome<> dump_reader::begin(std::string_view line) {
    const auto open = line.find('(');
    const auto close = line.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    auto name = trimmed(line.substr(5, open - 5));
    if (const auto dot = name.rfind('.'); dot != std::string_view::npos) name = trimmed(name.substr(dot + 1));
    if (name != "resource") return {};
    columns_.clear();
    for (auto rest = line.substr(open + 1, close - open - 1);;) {
        const auto comma = rest.find(',');
        columns_.emplace_back(trimmed(rest.substr(0, comma)));
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    for (const auto column : needed) {
        if (std::find(columns_.begin(), columns_.end(), column) == columns_.end()) {
            return failure{exit_code::refused,
                           "the dump's table 'resource' has no column '" + std::string(column) +
                               "'. Images are in ThingsBoard's database since version 3.6.2"};
        }
    }
    has_table_ = is_in_table_ = true;
    return {};
}

std::optional<std::string> dump_reader::text(const std::vector<std::string_view>& values,
                                             std::string_view column) const {
    const auto found = std::find(columns_.begin(), columns_.end(), column);
    if (found == columns_.end()) return std::nullopt;
    const auto value = values[static_cast<std::size_t>(found - columns_.begin())];
    if (value == "\\N") return std::nullopt;
    return unescaped(value);
}

outcome<std::optional<dumped_image>> dump_reader::next(std::string_view line) {
    const std::optional<dumped_image> none;
    if (!is_in_table_) {
        if (line.starts_with("COPY ") && line.ends_with("FROM stdin;")) {
            if (auto begun = begin(line); !begun) return begun.error();
        }
        return none;
    }
    if (line == "\\.") {
        is_in_table_ = false;
        return none;
    }
    std::vector<std::string_view> values;
    for (auto rest = line;;) {
        const auto tab = rest.find('\t');
        values.push_back(rest.substr(0, tab));
        if (tab == std::string_view::npos) break;
        rest.remove_prefix(tab + 1);
    }
    if (values.size() != columns_.size())
        return failure{exit_code::refused, "the dump's table 'resource' has a row with " +
                                               std::to_string(values.size()) + " of " +
                                               std::to_string(columns_.size()) + " columns"};
    if (text(values, "resource_type") != "IMAGE") return none;
    dumped_image out;
    auto& about = out.about;
    out.tenant = text(values, "tenant_id").value_or("");
    if (out.tenant != tenant_) return std::optional(std::move(out));
    about.key = text(values, "resource_key").value_or("");
    about.title = text(values, "title").value_or("");
    about.file_name = text(values, "file_name").value_or("");
    about.sub_type = text(values, "resource_sub_type").value_or("IMAGE");
    about.public_key = text(values, "public_resource_key").value_or("");
    about.is_public = text(values, "is_public") == "t";
    const auto time = text(values, "created_time").value_or("");
    std::from_chars(time.data(), time.data() + time.size(), about.created_time);
    if (const auto descriptor = text(values, "descriptor")) {
        json::error_code failed;
        const auto value = json::parse(*descriptor, failed);
        const auto* const type =
            failed || !value.is_object() ? nullptr : value.get_object().if_contains("mediaType");
        if (type != nullptr && type->is_string()) about.media_type = std::string(type->get_string());
    }
    const auto data = text(values, "data");
    const auto bytes =
        data && data->starts_with("\\x") ? hex_decode(std::string_view(*data).substr(2)) : std::nullopt;
    if (!bytes || bytes->empty()) {
        out.problem = "the dump's row has no picture";
        return std::optional(std::move(out));
    }
    out.picture = *bytes;
    about.etag = etag_of(out.picture);
    const auto etag = text(values, "etag").value_or("");
    if (!etag.empty() && etag != about.etag)
        out.problem = "the dump's row is damaged: the SHA-256 of the picture is not the row's etag";
    return std::optional(std::move(out));
}

}  // namespace gallery::admin
