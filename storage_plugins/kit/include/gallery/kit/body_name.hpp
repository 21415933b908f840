// SPDX-License-Identifier: Apache-2.0
/// The key under which an engine caches a body.
#pragma once

#include <gallery/model.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace gallery::kit {

/// The bytes of one save of one image; never reused, because revisions are not.
struct body_name {
    image_id id;
    revision content_rev = 0;
    representation which = representation::original;

    friend bool operator==(const body_name&, const body_name&) = default;
};

struct body_name_hash {
    std::size_t operator()(const body_name& name) const noexcept {
        return std::hash<image_id>{}(name.id) ^
               (name.content_rev * 2 + static_cast<std::size_t>(name.which)) * 0x9E37'79B9'7F4A'7C15ULL;
    }
};

}  // namespace gallery::kit
