// SPDX-License-Identifier: Apache-2.0
/// The images that are delivered with the server.
///
/// A folder contains them with an index (supplied_folder.hpp). Each is installed once as an image of the
/// system. A later version of the server updates an image that the administrator has not changed, and never
/// restores deleted images. Installed images are recorded in documents of the kind "system_image", one per
/// file.
#pragma once

#include "images/image_service.hpp"

#include <gallery/error.hpp>
#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace gallery::images {

struct installed_images {
    std::size_t installed = 0;
    std::size_t updated = 0;
    std::size_t kept = 0;  ///< up to date, changed, or deleted by the administrator
    /// One line per picture that could not be installed; the others are.
    std::vector<std::string> problems;
};

/// Installs or updates the folder's pictures. Reads the folder in the calling thread: for the start only.
/// Error: invalid_argument where index.json is missing or malformed, and those of the store.
task<result<installed_images>> install_system_images(image_service& images, image_store& store,
                                                     document_store& documents, std::filesystem::path folder);

/// Uploads the folder's first @p count plain pictures into a tenant without images, for a first look.
task<result<installed_images>> install_samples(image_service& images, tenant_id tenant,
                                               std::filesystem::path folder, std::size_t count);

}  // namespace gallery::images
