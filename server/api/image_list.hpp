// SPDX-License-Identifier: Apache-2.0
/// GET /api/images: a page of a gallery's images.
#pragma once

#include "api/image_services.hpp"

namespace gallery::api {

task<result<http::response>> list_images(const image_services& services, images::image_read_permit may,
                                         http::request& message);

}  // namespace gallery::api
