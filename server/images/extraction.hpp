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
#include <vector>

namespace gallery::images {

using document_write_permit = document_permit<image_operation::write>;

/// What one embedded picture became.
struct extracted_picture {
    /// Null: it stays as it is, because only its etag is known and no image has it. For a new image of a
    /// rehearsal, a record without a key.
    record_ptr record;
    bool is_new = false;  ///< made now, or would be; otherwise the image was there
};

struct extraction {
    std::vector<extracted_picture> pictures;  ///< in the order of the embedded ones
    std::size_t stored = 0;                   ///< new images
    std::optional<error> failure;             ///< of storing one, after others had been stored
};

/// Finds or makes an image for each of @p pictures. An image of the own tenant with the same bytes is taken
/// first, then one of the system. All new pictures are decoded and checked before the first one is stored, so
/// that a picture that is refused leaves nothing behind. If storing one fails later, the images that were
/// stored before it stay, since other requests may have found them already; the same request takes them then.
/// Previews of more than @p preview_bytes together are not kept in memory but made again. @p is_rehearsal:
/// nothing is stored. @p service outlives the task.
///
/// Errors, with the picture's path; nothing was stored: those of image_service::check() and
/// image_service::store_once().
task<result<extraction>> extract_pictures(image_service& service, document_write_permit may,
                                          std::vector<embedded_picture> pictures, std::uint64_t preview_bytes,
                                          bool is_rehearsal);

}  // namespace gallery::images
