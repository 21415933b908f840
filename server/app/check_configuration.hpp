// SPDX-License-Identifier: Apache-2.0
/// Checks of a configuration beyond the form of single values.
#pragma once

#include "config/load.hpp"
#include "http/server.hpp"

#include <gallery/error.hpp>

#include <functional>
#include <string>
#include <vector>

namespace gallery::app {

/// The name of the storage plugin that is configured; empty where it cannot be known.
using plugin_namer = std::function<std::string(const config::storage_settings&)>;

/// Loads a plugin that is configured by its path.
std::string name_of_plugin(const config::storage_settings& storage);

/// Checks of every start and reload: passwords against the policy, rates of requests, base path and
/// cross-origin rules that are invalid or allow too much, and sections of storage plugins that do not exist
/// or, for those of etc/gallery.yml, unknown options. Error: invalid_argument with all problems, one per
/// line, each with file and line or variable.
result<void> check_values(const config::configuration& c, const plugin_namer& name_of = &name_of_plugin);

/// Further checks, without the data folder and without listening: the storage plugin and its options, for
/// which it is opened on an empty temporary folder, the TLS files, and the configured folders. Returns a
/// description of the checks for the operator. Error: invalid_argument with all problems, one per line,
/// beginning with @p problems, those of single values.
result<std::string> try_configuration(const config::configuration& c, const std::string& problems);

/// @p effective of the configuration with the options of the selected storage plugin in clear, except those
/// that its schema declares secret. Options of other plugins stay masked, because their schemas
/// are not read.
std::vector<config::effective_value> shown_values(const config::configuration& c);

/// @p message, and where the options of storage plugins that it names were set, a line each.
std::string with_origins(const config::configuration& c, std::string message);

/// Preconditions of both: check_values() found nothing wrong.
http::cross_origin_settings cross_origin_of(const config::cors_settings& cors);
std::string base_path_of(const config::server_settings& server);
http::tls_options tls_options_of(const config::ssl_settings& ssl);

}  // namespace gallery::app
