// SPDX-License-Identifier: Apache-2.0
/// What the start and a reload make of the settings for the parts of the server; http_options.hpp has the
/// HTTP server's.
#pragma once

#include "config/settings.hpp"
#include "imaging/pool.hpp"

#include <chrono>
#include <string>

namespace gallery::app {

imaging::pool_limits pool_limits_of(const config::image_settings& image);

/// The absolute path of the program that decodes images.
std::string imaging_worker_file();

/// How long an upload waits for memory.
std::chrono::seconds upload_wait_of(const config::transport_settings& transport);
/// And an image that is not in memory, for memory to be sent from.
std::chrono::seconds download_wait_of(const config::transport_settings& transport);

}  // namespace gallery::app
