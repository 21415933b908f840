// SPDX-License-Identifier: Apache-2.0
#include "values.hpp"

#include <cstring>
#include <stdexcept>

namespace gallery::postgres {
namespace {

constexpr std::uint32_t text_oid = 25;
constexpr std::uint32_t uuid_oid = 2950;

template <class Number>
void append(std::string& to, Number value) {
    for (int shift = (static_cast<int>(sizeof value) - 1) * 8; shift >= 0; shift -= 8)
        to.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
}

std::string_view raw(const uuid& value) noexcept {
    return {reinterpret_cast<const char*>(value.data), sizeof value.data};
}

/// Of an array of one dimension: dimensions, whether there are nulls, type, length, lower bound.
std::string array_head(std::uint32_t type, std::size_t length) {
    std::string to;
    append<std::uint32_t>(to, length == 0 ? 0 : 1);
    append<std::uint32_t>(to, 0);
    append(to, type);
    if (length == 0) return to;
    append(to, static_cast<std::uint32_t>(length));
    append<std::uint32_t>(to, 1);
    return to;
}

[[noreturn]] void malformed() {
    throw std::runtime_error("a field of the database has another type than this version stores");
}

std::uint64_t big_endian(const char* from, std::size_t size) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
        value = value << 8 | static_cast<unsigned char>(from[i]);
    return value;
}

}  // namespace

parameter of_int2(std::int16_t value) {
    std::string to;
    append(to, value);
    return parameter(std::move(to));
}

parameter of_int4(std::int32_t value) {
    std::string to;
    append(to, value);
    return parameter(std::move(to));
}

parameter of_int8(std::int64_t value) {
    std::string to;
    append(to, value);
    return parameter(std::move(to));
}

parameter of_count(std::uint64_t value) {
    return of_int8(static_cast<std::int64_t>(value));
}

parameter of_bool(bool value) {
    return parameter(std::string(1, value ? '\1' : '\0'));
}

parameter of_uuid(const uuid& value) {
    return parameter(std::string(raw(value)));
}

parameter of_text(std::string_view text) {
    return parameter(std::string(text));
}

parameter of_digest(const sha256_digest& digest) {
    return parameter(std::string(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

parameter of_texts(const std::vector<std::string>& texts) {
    auto to = array_head(text_oid, texts.size());
    for (const auto& text : texts) {
        append(to, static_cast<std::uint32_t>(text.size()));
        to += text;
    }
    return parameter(std::move(to));
}

parameter of_uuids(const std::vector<uuid>& ids) {
    auto to = array_head(uuid_oid, ids.size());
    for (const auto& id : ids) {
        append(to, static_cast<std::uint32_t>(sizeof id.data));
        to += raw(id);
    }
    return parameter(std::move(to));
}

std::int64_t int_of(const field& from) {
    switch (from.size) {
        case 2:
            return static_cast<std::int16_t>(big_endian(from.data, 2));
        case 4:
            return static_cast<std::int32_t>(big_endian(from.data, 4));
        case 8:
            return static_cast<std::int64_t>(big_endian(from.data, 8));
        default:
            malformed();
    }
}

std::uint64_t count_of(const field& from) {
    const auto value = int_of(from);
    if (value < 0) malformed();
    return static_cast<std::uint64_t>(value);
}

bool bool_of(const field& from) {
    if (from.size != 1) malformed();
    return from.data[0] != 0;
}

uuid uuid_of(const field& from) {
    uuid value{};
    if (from.size != static_cast<int>(sizeof value.data)) malformed();
    std::memcpy(value.data, from.data, sizeof value.data);
    return value;
}

std::string text_of(const field& from) {
    if (from.is_null()) malformed();
    return std::string(from.view());
}

sha256_digest digest_of(const field& from) {
    sha256_digest digest{};
    if (from.size != static_cast<int>(digest.size())) malformed();
    std::memcpy(digest.data(), from.data, digest.size());
    return digest;
}

std::vector<std::string> texts_of(const field& from) {
    constexpr std::size_t empty_head = 12;
    constexpr std::size_t full_head = 20;
    auto rest = from.view();
    std::vector<std::string> texts;
    if (rest.size() < empty_head) malformed();
    const auto dimensions = big_endian(rest.data(), 4);
    if (dimensions == 0) return texts;
    if (dimensions != 1 || rest.size() < full_head) malformed();
    const auto length = big_endian(rest.data() + empty_head, 4);
    rest.remove_prefix(full_head);
    for (std::uint64_t i = 0; i < length; ++i) {
        if (rest.size() < 4) malformed();
        const auto size = big_endian(rest.data(), 4);
        rest.remove_prefix(4);
        if (rest.size() < size) malformed();
        texts.emplace_back(rest.substr(0, static_cast<std::size_t>(size)));
        rest.remove_prefix(static_cast<std::size_t>(size));
    }
    return texts;
}

}  // namespace gallery::postgres
