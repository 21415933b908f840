// SPDX-License-Identifier: Apache-2.0
/// Reads the fields of a JSON object that a client sent.
#pragma once

#include "http/request.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>
#include <gallery/uuid.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::api {

/// The default limit of text fields.
inline constexpr std::size_t max_field_characters = 255;

/// Reads the body as a JSON object. Errors: invalid_argument if it is not one, too_large if it exceeds the
/// endpoint's limit.
task<result<boost::json::object>> read_json_object(http::request& message);

/// Reads the body as a JSON object and returns the result of @p parse. Errors: those of read_json_object()
/// and of @p parse.
template <class Value>
task<result<Value>> read_json(http::request& message, result<Value> (*parse)(const boost::json::object&)) {
    const auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    co_return parse(*body);
}

/// Reads members of an object and remembers the first invalid one. The value returned for an invalid member
/// is unspecified, so call done() before the values are used. Null counts as absent. Refers to the object.
class json_fields {
public:
    explicit json_fields(const boost::json::object& from) : from_(from) {}

    /// Empty if absent. Control characters and more than @p most characters are invalid.
    std::string text(std::string_view name, std::size_t most = max_field_characters);
    /// As text(), but with tabs and line breaks.
    std::string long_text(std::string_view name, std::size_t most);
    /// As text(), and must not be absent or empty.
    std::string required_text(std::string_view name, std::size_t most = max_field_characters);
    /// Any characters, at most @p most bytes, unchanged. For passwords and tokens.
    std::string secret(std::string_view name, std::size_t most = 16 * 1024);
    std::optional<std::int64_t> integer(std::string_view name);
    std::optional<bool> boolean(std::string_view name);
    /// {"entityType": @p entity_type, "id": "<uuid>"}. With @p null_is_absent, ThingsBoard's null id
    /// (13814000-1dd2-11b2-8080-808080808080) counts as absent.
    std::optional<uuid> id(std::string_view name, std::string_view entity_type, bool null_is_absent = true);
    /// Any JSON value as text; empty if absent. At most 16 KiB.
    std::string json(std::string_view name);

    /// Notes an error that the caller found; @p text is sent to the client.
    void refuse(std::string text);
    /// Error: invalid_argument with the first problem.
    [[nodiscard]] result<void> done() const;

private:
    std::string text(std::string_view name, std::size_t most, std::string_view allowed_controls);
    [[nodiscard]] const boost::json::value* find(std::string_view name) const;

    const boost::json::object& from_;
    std::string problem_;
};

/// Reads the body's fields with these names by json_fields::secret(). Errors: those of read_json_object();
/// invalid_argument.
template <std::size_t Count>
task<result<std::array<std::string, Count>>> read_secrets(http::request& message,
                                                          std::array<std::string_view, Count> names) {
    const auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    json_fields fields(*body);
    std::array<std::string, Count> values;
    for (std::size_t i = 0; i < Count; ++i)
        values[i] = fields.secret(names[i]);
    if (const auto good = fields.done(); !good) co_return good.error();
    co_return values;
}

/// {"entityType":...,"id":...}
boost::json::object entity_id(std::string_view entity_type, const uuid& id);

}  // namespace gallery::api
