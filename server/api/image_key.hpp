// SPDX-License-Identifier: Apache-2.0
/// The key of an image in a path.
#pragma once

#include "images/image_service.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <string>

namespace gallery::api {

/// Whether @p key may be the key of an image that arrived percent-encoded once more than it had to, as of
/// clients that encode a link which is encoded already.
bool may_be_encoded_twice(std::string_view key) noexcept;

/// The key of the image that a path means: @p key as it arrived, unless there is no such image and there is
/// one under @p key decoded again. @p service outlives the task.
task<std::string> stored_key(images::image_service& service, images::image_view_permit may, std::string key);

/// How often a record that was replaced while its bytes were read is looked up again. Each time means that a
/// write was committed in between.
inline constexpr int max_read_attempts = 16;
/// The error when all attempts have failed.
error replaced_too_often();

}  // namespace gallery::api
