// SPDX-License-Identifier: Apache-2.0
/// The endpoints of archives: many images in one zip file.
#pragma once

#include "api/archive_stream.hpp"
#include "api/endpoint.hpp"

#include <span>

namespace gallery::api {

std::span<const endpoint<archive_services>> image_archive_endpoints() noexcept;

}  // namespace gallery::api
