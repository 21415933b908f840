// SPDX-License-Identifier: Apache-2.0
/// What can be wrong with a configuration though each value has the right form.
#pragma once

#include "config/load.hpp"
#include "http/server.hpp"

#include <gallery/error.hpp>

#include <string>
#include <vector>

namespace gallery::app {

/// What every start asks: passwords that the policy refuses, a base path and rules for pages of other origins
/// that do not mean anything or open too much, and sections of storage plugins that do not
/// exist or, for those of etc/gallery.yml, options that they do not have. Error: invalid_argument with all
/// that is wrong, one a line, each with file and line or variable.
result<void> check_values(const config::configuration& c);

/// Besides, what else a start would find out, without the data folder and without listening: the storage
/// plugin and its options, for which it is opened on an empty temporary folder, the TLS files, the folders
/// that are named. Returns what was tried, for people. Error: invalid_argument with all that is wrong, one a
/// line, beginning with @p problems, those of single values.
result<std::string> try_configuration(const config::configuration& c, const std::string& problems);

/// @p effective of the configuration with the options of the selected storage plugin in clear, except those
/// that its schema declares secret. Options of other plugins stay masked, since nobody has read their
/// schemas.
std::vector<config::effective_value> shown_values(const config::configuration& c);

/// @p message, and where the options of storage plugins that it names were set, a line each.
std::string with_origins(const config::configuration& c, std::string message);

/// Preconditions of both: check_values() found nothing wrong.
http::cross_origin_settings cross_origin_of(const config::cors_settings& cors);
std::string base_path_of(const config::server_settings& server);
http::tls_options tls_options_of(const config::ssl_settings& ssl);

}  // namespace gallery::app
