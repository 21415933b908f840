// SPDX-License-Identifier: Apache-2.0
/// PostgreSQL's binary format of the few types that the schema has: parameters out, fields in.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/sha256.hpp>
#include <gallery/uuid.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gallery::postgres {

/// One parameter of a statement: null, or bytes in binary format. Cheap to copy where it is a part of a body.
class parameter {
public:
    parameter() = default;  ///< null
    explicit parameter(std::string encoded) : value_(std::move(encoded)) {}
    explicit parameter(bytes data) : value_(std::move(data)) {}

    [[nodiscard]] bool is_null() const noexcept { return value_.index() == 0; }
    [[nodiscard]] std::string_view view() const noexcept {
        if (const auto* text = std::get_if<std::string>(&value_)) return *text;
        if (const auto* data = std::get_if<bytes>(&value_)) return data->view();
        return {};
    }

private:
    std::variant<std::monostate, std::string, bytes> value_;
};

parameter of_int2(std::int16_t value);
parameter of_int4(std::int32_t value);
parameter of_int8(std::int64_t value);
/// Revisions and sizes: below 2^63.
parameter of_count(std::uint64_t value);
parameter of_bool(bool value);
parameter of_uuid(const uuid& value);
parameter of_text(std::string_view text);
parameter of_digest(const sha256_digest& digest);
parameter of_texts(const std::vector<std::string>& texts);
parameter of_uuids(const std::vector<uuid>& ids);

/// One field of a row, in binary format. It refers to the row's memory.
struct field {
    const char* data = nullptr;
    int size = -1;  ///< -1: null

    [[nodiscard]] bool is_null() const noexcept { return size < 0; }
    [[nodiscard]] std::string_view view() const noexcept {
        return is_null() ? std::string_view() : std::string_view(data, static_cast<std::size_t>(size));
    }
};
using fields = std::vector<field>;

// Each throws std::runtime_error where the field is null or has another size than its type: the schema
// was changed.
std::int64_t int_of(const field& from);  ///< int2, int4 and int8
std::uint64_t count_of(const field& from);
bool bool_of(const field& from);
uuid uuid_of(const field& from);
std::string text_of(const field& from);
sha256_digest digest_of(const field& from);
std::vector<std::string> texts_of(const field& from);

}  // namespace gallery::postgres
