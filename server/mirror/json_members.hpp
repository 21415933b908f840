// SPDX-License-Identifier: Apache-2.0
/// Members of stored JSON objects, if they have the expected type.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::mirror {

/// The object that @p text consists of; empty if it is anything else.
inline std::optional<boost::json::object> object_in(std::string_view text) {
    boost::json::error_code wrong;
    auto parsed = boost::json::parse(boost::json::string_view(text.data(), text.size()), wrong);
    if (wrong || !parsed.is_object()) return std::nullopt;
    return std::move(parsed.as_object());
}

inline std::optional<std::string> text_member(const boost::json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string(value->get_string());
}

inline std::optional<std::int64_t> number_member(const boost::json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    return value->get_int64();
}

inline std::optional<bool> boolean_member(const boost::json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_bool()) return std::nullopt;
    return value->get_bool();
}

}  // namespace gallery::mirror
