// SPDX-License-Identifier: Apache-2.0
/// Finds the configuration of the server and of gallery-admin.
#pragma once

#include "config/load.hpp"

#include <gallery/error.hpp>

#include <string>

namespace gallery::app {

/// Exit codes, as in sysexits.h.
inline constexpr int exit_usage = 64;
inline constexpr int exit_unavailable = 69;
inline constexpr int exit_software = 70;
inline constexpr int exit_config = 78;

/// The one for an error that ends the program.
int exit_code_of(errc code) noexcept;

/// The file @p named, else etc/gallery.yml of the source tree that the executable was built in, else
/// /etc/gallery/gallery.yml; empty if there is none, which means the built-in defaults.
std::string find_configuration_file(const std::string& named);

/// The values of a file that was found, with the process's environment. Errors: those of
/// config::check_file().
result<config::checked_configuration> read_configuration_file(const std::string& found);

/// Both.
result<config::checked_configuration> check_configuration_file(const std::string& named);

/// The same for callers that use it only where nothing is wrong with it. Error: besides, invalid_argument
/// with the problems.
result<config::configuration> load_configuration(const std::string& named);

}  // namespace gallery::app
