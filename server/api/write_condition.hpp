// SPDX-License-Identifier: Apache-2.0
/// The preconditions of a write to an image (RFC 9110, 13.1.1 and 13.1.2).
#pragma once

#include "http/request.hpp"
#include "images/coded_bodies.hpp"
#include "images/image_service.hpp"

#include <string>

namespace gallery::api {

/// What If-Match and If-None-Match ask of the image that a request would change. An image is known by the
/// etag of its bytes and, where it is an SVG, by those of its compressed forms, since a client has the etag
/// of whichever it was sent; these may have to be made. These stay the same when the title, the tags or the
/// public flag change. The etag of the image's info changes with them, and is accepted as well. Empty where
/// the request has no condition. An empty
/// @p key is that of an image which is yet to be made.
/// @p message must outlive what is returned. Errors: those of the storage, but for not_found.
task<result<images::record_check>> write_condition(const http::request& message,
                                                   images::image_view_permit may, std::string key,
                                                   images::image_service& gallery,
                                                   images::coded_bodies& coded);

}  // namespace gallery::api
