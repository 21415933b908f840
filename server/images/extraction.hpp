// SPDX-License-Identifier: Apache-2.0
/// Turns the embedded pictures of a document into images of a gallery.
#pragma once

#include "images/embedded_pictures.hpp"
#include "images/image_service.hpp"
#include "images/permissions.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gallery::images {

using document_write_permit = document_permit<image_operation::write>;

/// What one embedded picture became.
struct extracted_picture {
    /// Null: it stays as it is, because only its etag is known and no image has it. For a new image of a
    /// rehearsal, a record without a key.
    record_ptr record;
    representation which = representation::original;  ///< of the record, that has the picture's bytes
    bool is_new = false;  ///< made now, or would be; otherwise the image was there
};

struct extraction {
    std::vector<extracted_picture> pictures;  ///< in the order of the embedded ones
    std::size_t stored = 0;                   ///< new images
    std::optional<error> failure;             ///< of storing one, after others had been stored
    std::string failed_path;                  ///< of the picture that could not be stored
};

/// Finds or makes an image for each of @p pictures. The image under the picture's key is taken if its
/// original or its preview has these bytes, first of the own tenant, then of the system. Otherwise an image
/// of the own tenant with these bytes is taken, then one of the system. All new pictures are decoded and
/// checked before the first one is stored, so that a picture that is refused leaves nothing behind. If
/// storing one fails later, the images that were stored before it stay, since other requests may have found
/// them already; the same request takes them then. Between checking and storing, previews and decompressed
/// drawings are kept in memory, up to @p kept_bytes together. Pictures with more are decoded a second time,
/// which can fail although the first did not.
/// @p is_rehearsal: nothing is stored. @p request_id: for the log; empty: of no request. @p service outlives
/// the task.
///
/// Errors, with the picture's path; nothing was stored: those of image_service::check() and
/// image_service::store_once().
task<result<extraction>> extract_pictures(image_service& service, document_write_permit may,
                                          std::vector<embedded_picture> pictures, std::uint64_t kept_bytes,
                                          bool is_rehearsal, std::string request_id = {});

}  // namespace gallery::images
