// SPDX-License-Identifier: Apache-2.0
/// Reads a folder of images that is delivered with the server.
///
/// Its index.json lists the pictures: [{"file", "title", "subType", "version"}, ...]. All functions block on
/// the disk, so they are for the start only.
#pragma once

#include "images/image_service.hpp"

#include <gallery/error.hpp>
#include <gallery/model.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gallery::images {

/// An entry of index.json.
struct supplied_picture {
    std::string file;   ///< name in the folder
    std::string title;  ///< may be empty
    image_sub_type sub_type = image_sub_type::image;
    std::int64_t version = 1;
};

/// Error: invalid_argument if index.json is missing or malformed.
result<std::vector<supplied_picture>> read_supplied_index(const std::filesystem::path& folder);

/// The picture with its digest; empty if it cannot be read.
std::optional<picture_file> load_supplied_picture(const std::filesystem::path& folder,
                                                  const std::string& name);

}  // namespace gallery::images
