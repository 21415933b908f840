// SPDX-License-Identifier: Apache-2.0
/// Identifiers. All of them are UUIDs in the canonical text form of RFC 4122. Each kind has its own type, so
/// a user's id cannot be passed as a tenant's id.
#pragma once

#include <gallery/export.hpp>

#include <boost/uuid/uuid.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gallery {

using uuid = boost::uuids::uuid;

/// A random (version 4) UUID from the operating system's generator. Thread-safe.
GALLERY_API uuid random_uuid();

/// Strict: 36 characters, hexadecimal in either case, hyphens in their places.
GALLERY_API std::optional<uuid> parse_uuid(std::string_view text) noexcept;

/// Lower-case canonical form.
GALLERY_API std::string to_string(const uuid& value);

template <class Tag>
struct basic_id {
    uuid value{};

    friend bool operator==(const basic_id& a, const basic_id& b) noexcept { return a.value == b.value; }
    friend std::strong_ordering operator<=>(const basic_id& a, const basic_id& b) noexcept {
        return std::memcmp(a.value.data, b.value.data, sizeof a.value.data) <=> 0;
    }
    friend std::string to_string(const basic_id& id) { return to_string(id.value); }
};

using tenant_id = basic_id<struct tenant_tag>;
using image_id = basic_id<struct image_tag>;
using user_id = basic_id<struct user_tag>;
using customer_id = basic_id<struct customer_tag>;
using api_key_id = basic_id<struct api_key_tag>;

/// The tenant that owns system images: 13814000-1dd2-11b2-8080-808080808080, as in ThingsBoard.
inline constexpr tenant_id system_tenant{
    uuid{0x13, 0x81, 0x40, 0x00, 0x1d, 0xd2, 0x11, 0xb2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}};

}  // namespace gallery

template <class Tag>
struct std::hash<gallery::basic_id<Tag>> {
    std::size_t operator()(const gallery::basic_id<Tag>& id) const noexcept {
        std::array<std::size_t, 16 / sizeof(std::size_t)> words{};
        std::memcpy(words.data(), id.value.data, sizeof id.value.data);
        return words[0] ^ (words[1] * 0x9e3779b97f4a7c15ULL);
    }
};
