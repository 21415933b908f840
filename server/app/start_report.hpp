// SPDX-License-Identifier: Apache-2.0
/// Texts of the report that a start prints.
#pragma once

#include "config/settings.hpp"

#include <cstdint>
#include <string>

namespace gallery::app {

/// "1 image", "2,500 images".
std::string counted(std::uint64_t number, const char* noun);

/// The address to open in a browser on this machine, or at the address that the server is bound to.
std::string local_url(const config::server_settings& server, std::uint16_t port);

/// The address by which other machines reach this server, as far as it can be known.
std::string node_address(const config::settings& all, std::uint16_t port);

}  // namespace gallery::app
