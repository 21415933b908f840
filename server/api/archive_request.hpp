// SPDX-License-Identifier: Apache-2.0
/// What a client asks of an archive of images. Pure.
#pragma once

#include "images/exported_files.hpp"

#include <gallery/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::api {

enum class archive_layout : std::uint8_t {
    pictures,  ///< each picture under its file name
    exports    ///< as `gallery-admin images export` writes it: each picture under its key, with a JSON file
};

struct archive_request {
    archive_layout layout = archive_layout::pictures;
    /// Keys, each once, in the order in which they were asked for.
    std::vector<std::string> own;
    std::vector<std::string> of_system;
    images::similar_keys similar;  ///< of both lists together; for exports

    [[nodiscard]] std::size_t size() const noexcept { return own.size() + of_system.size(); }
};

inline constexpr std::size_t max_archive_images = 50'000;
/// Of the JSON text.
inline constexpr std::uint64_t max_archive_request_bytes = 4 << 20;

/// Reads {"tenant": [key...], "system": [key...], "layout": "PICTURES" or "EXPORT"}. It takes some
/// milliseconds for a megabyte. Errors: invalid_argument; too_large for more than max_archive_images.
result<archive_request> parse_archive_request(std::string_view text);

}  // namespace gallery::api
