// SPDX-License-Identifier: Apache-2.0
/// ThingsBoard's JSON shapes of images.
#pragma once

#include <gallery/model.hpp>

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace gallery::api {

/// `/api/images/{tenant|system}/{key}` with the key as it is, as ThingsBoard writes it: its clients encode
/// the last part themselves before they send it.
std::string image_link(const image_record& record);

/// `/api/images/public/{publicResourceKey}`
std::string public_link(const image_record& record);

/// TbResourceInfo; nulls are written. It has `tags` where the image has some: ThingsBoard has no such field.
/// @p prefix: http::path_prefix(), in front of both links.
boost::json::object resource_info(const image_record& record, std::string_view prefix);

/// The opaque part of the ETag of an image's info. Each change of the image changes it: of the bytes, the
/// title, the tags, the public flag and the rest. It is the same on every server and store. Never that of
/// bytes.
std::string info_etag(const image_record& record);

}  // namespace gallery::api
