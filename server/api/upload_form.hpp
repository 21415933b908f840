// SPDX-License-Identifier: Apache-2.0
/// The form of uploads and replacements.
#pragma once

#include "http/request.hpp"
#include "images/byte_budget.hpp"
#include "images/image_service.hpp"
#include "images/quotas.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace gallery::api {

/// Size of a form besides the image: boundaries, part headers, other fields.
inline constexpr std::uint64_t form_envelope = 64 * 1024;

struct upload_form {
    images::byte_budget::lease memory;  ///< held as long as the picture
    images::picture_file file;
    std::string title;
    std::optional<image_sub_type> sub_type;
};

/// Reads multipart/form-data with the part `file` and, optionally, `title` and `imageSubType`, in any order.
/// Other parts are ignored, and of repeated ones the first counts. Texts are in the charset of their part's
/// Content-Type or of a part `_charset_`, otherwise in UTF-8. The image is hashed as it arrives and is in
/// memory once. Before its first byte is read, its memory is taken from @p budget for @p owner, which may
/// wait. Errors: unsupported_type (also for a charset), invalid_argument (missing or malformed parts),
/// too_large by @p limits for an image of more than @p most, busy.
task<result<upload_form>> read_upload_form(http::request& message, tenant_id owner,
                                           images::byte_budget& budget, images::quotas& limits,
                                           images::size_limit most);

/// The least size of the image in a form whose body has not been read: its Content-Length without the form;
/// 1 if that is unknown.
std::uint64_t least_image_size(http::request& message);

}  // namespace gallery::api
