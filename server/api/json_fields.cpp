// SPDX-License-Identifier: Apache-2.0
#include "api/json_fields.hpp"

#include "images/json_text.hpp"

#include <gallery/text.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace gallery::api {
namespace {

constexpr std::size_t max_member_bytes = 16 * 1024;

std::string quoted(std::string_view name) {
    return "The field '" + std::string(name) + "'";
}

std::size_t characters_of(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text)
        count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    return count;
}

bool has_control_character(std::string_view text, std::string_view allowed) {
    for (const char c : text) {
        if (allowed.find(c) != std::string_view::npos) continue;
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) return true;
    }
    return false;
}

}  // namespace

task<result<boost::json::object>> read_json_object(http::request& message) {
    auto text = co_await message.body().read_all(message.body().limit());
    if (!text) co_return text.error();
    text = images::decode_json_text(std::move(*text));
    if (!text) co_return text.error();
    boost::system::error_code failed;
    auto value = boost::json::parse(*text, failed);
    if (failed) {
        co_return error{errc::invalid_argument, "The body is not well-formed JSON: " + failed.message()};
    }
    if (!value.is_object()) co_return error{errc::invalid_argument, "The body is not a JSON object"};
    co_return std::move(value.get_object());
}

const boost::json::value* json_fields::find(std::string_view name) const {
    const auto* value = from_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

void json_fields::refuse(std::string text) {
    if (problem_.empty()) problem_ = std::move(text);
}

result<void> json_fields::done() const {
    if (!problem_.empty()) return error{errc::invalid_argument, problem_};
    return {};
}

std::string json_fields::text(std::string_view name, std::size_t most) {
    return text(name, most, {});
}

std::string json_fields::long_text(std::string_view name, std::size_t most) {
    return text(name, most, "\t\r\n");
}

std::string json_fields::text(std::string_view name, std::size_t most, std::string_view allowed_controls) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string()) {
        refuse(quoted(name) + " is not a text");
        return {};
    }
    std::string out(value->get_string());
    if (characters_of(out) > most) {
        refuse(quoted(name) + " has more than " + std::to_string(most) + " characters");
    } else if (has_control_character(out, allowed_controls)) {
        refuse(quoted(name) + " contains a control character");
    }
    return out;
}

std::string json_fields::required_text(std::string_view name, std::size_t most) {
    auto out = text(name, most);
    if (out.empty()) refuse(quoted(name) + " is missing or empty");
    return out;
}

std::string json_fields::secret(std::string_view name, std::size_t most) {
    const auto* value = find(name);
    if (value == nullptr || !value->is_string()) {
        refuse(quoted(name) + (value == nullptr ? " is missing" : " is not a text"));
        return {};
    }
    if (value->get_string().size() > most) refuse(quoted(name) + " is too long");
    return std::string(value->get_string());
}

std::optional<std::int64_t> json_fields::integer(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_int64()) return value->get_int64();
    refuse(quoted(name) + " is not an integer");
    return std::nullopt;
}

std::optional<bool> json_fields::boolean(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_bool()) return value->get_bool();
    if (value->is_string()) {
        if (const auto parsed = parse_boolean(value->get_string())) return parsed;
    }
    refuse(quoted(name) + " is neither true nor false");
    return std::nullopt;
}

std::optional<uuid> json_fields::id(std::string_view name, std::string_view entity_type,
                                    bool null_is_absent) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto wrong = [&] {
        refuse(quoted(name) + R"( is not an id. Expected {"entityType":")" + std::string(entity_type) +
               R"(","id":"<uuid>"})");
        return std::nullopt;
    };
    if (!value->is_object()) return wrong();
    const auto& members = value->get_object();
    // ThingsBoard's own clients leave the type out where it is clear.
    if (const auto* type = members.if_contains("entityType")) {
        if (!type->is_string() || type->get_string() != entity_type) return wrong();
    }
    const auto* text = members.if_contains("id");
    if (text == nullptr || !text->is_string()) return wrong();
    const auto parsed = parse_uuid(text->get_string());
    if (!parsed) return wrong();
    if (null_is_absent && *parsed == system_tenant.value) return std::nullopt;
    return parsed;
}

std::string json_fields::json(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    auto out = boost::json::serialize(*value);
    if (out.size() > max_member_bytes) {
        refuse(quoted(name) + " has more than " + std::to_string(max_member_bytes / 1024) + " KiB");
        return {};
    }
    return out;
}

boost::json::object entity_id(std::string_view entity_type, const uuid& id) {
    boost::json::object out;
    out["entityType"] = entity_type;
    out["id"] = to_string(id);
    return out;
}

}  // namespace gallery::api
