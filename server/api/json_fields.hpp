// SPDX-License-Identifier: Apache-2.0
/// Reading a JSON object that a client sent.
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

/// Text fields have at most this many characters, where nothing else is said.
inline constexpr std::size_t max_field_characters = 255;

/// The request's body as a JSON object, at most as large as the endpoint's limit. Errors: invalid_argument
/// for what is none, too_large.
task<result<boost::json::object>> read_json_object(http::request& message);

/// What @p parse makes of the body's object. Errors: those of read_json_object() and of @p parse.
template <class Value>
task<result<Value>> read_json(http::request& message, result<Value> (*parse)(const boost::json::object&)) {
    const auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    co_return parse(*body);
}

/// Takes members out of an object and remembers the first that is not what it should be; the value returned
/// for such a member means nothing. Null counts as absent.
class json_fields {
public:
    explicit json_fields(const boost::json::object& from) : from_(from) {}

    /// Empty where absent. No control characters, at most @p most characters.
    std::string text(std::string_view name, std::size_t most = max_field_characters);
    /// Neither absent nor empty.
    std::string required_text(std::string_view name, std::size_t most = max_field_characters);
    /// As it is: any characters, at most @p most bytes. For passwords and tokens.
    std::string secret(std::string_view name, std::size_t most = 16 * 1024);
    std::optional<std::int64_t> integer(std::string_view name);
    std::optional<bool> boolean(std::string_view name);
    /// {"entityType": @p entity_type, "id": "<uuid>"}. ThingsBoard's null id counts as absent where
    /// @p null_is_absent.
    std::optional<uuid> id(std::string_view name, std::string_view entity_type, bool null_is_absent = true);
    /// Any JSON as text; "" where absent. At most 16 KiB.
    std::string json(std::string_view name);

    void refuse(std::string text);
    /// Whether everything so far was good.
    [[nodiscard]] result<void> done() const;

private:
    [[nodiscard]] const boost::json::value* find(std::string_view name) const;

    const boost::json::object& from_;
    std::string problem_;
};

/// The body's fields with these names, as json_fields::secret() reads them. Errors: those of
/// read_json_object(); invalid_argument.
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
