// SPDX-License-Identifier: Apache-2.0
/// Images that never were pictures, for programs that measure storage plugins.
#pragma once

#include "engine.hpp"

#include <gallery/encode.hpp>
#include <gallery/storage.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace gallery::load {

struct picture {
    image_record record;
    std::string bytes;
};

/// A random image of this many bytes, with the title that is given and a number.
template <class Generator>
picture make_picture(const tenant_id& tenant, std::string key, const std::string& title, std::size_t size,
                     Generator& dice) {
    picture made;
    made.bytes = noise(size, dice);
    auto& record = made.record;
    for (auto& byte : record.id.value)
        byte = static_cast<std::uint8_t>(dice());
    record.tenant = tenant;
    record.key = std::move(key);
    record.title = title + ' ' + std::to_string(dice() % 100'000);
    record.file_name = record.key;
    for (int i = 0; i < 32; ++i)
        record.public_key += static_cast<char>('a' + dice() % 26);
    record.created_time = 1'700'000'000'000 + static_cast<std::int64_t>(dice() % 10'000'000'000);
    record.original = {"image/png", 100, 100, size, sha256({made.bytes.data(), size})};
    record.preview_is_original = true;
    record.preview = record.original;
    return made;
}

}  // namespace gallery::load
