// SPDX-License-Identifier: Apache-2.0
/// Makes settings from a file and the environment.
#pragma once

#include "config/document.hpp"
#include "config/settings.hpp"
#include "config/substitute.hpp"

#include <gallery/error.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::config {

/// Stands for a secret that is set.
inline constexpr std::string_view masked = "********";

/// One value in use.
struct effective_value {
    std::string path;
    /// "********" for a secret that is set. Only a plugin's schema names its secret options, so all options
    /// that are set are masked here; storage_settings::sections contains the values.
    std::string text;
    std::string from;  ///< "environment HTTP_BIND_PORT", "/etc/gallery/gallery.yml:12" or "default"
    std::vector<std::string> names;  ///< environment variables that set it, where they are set
    std::vector<std::string> used;   ///< those of them that are set
    std::string place;               ///< "file:line" of the text of the value, also for a default
    std::string origin;              ///< " (from the environment variable ...)", or empty

    /// A message about this value, in the form of load_text().
    [[nodiscard]] std::string problem(const std::string& what) const {
        return place + ": " + path + ": " + what + origin;
    }
};

/// The text of a value. It may be a secret: never shown.
struct plain_value {
    std::string text;
    std::string written;  ///< as in the file, with the references to variables
};

struct configuration {
    settings values;
    std::vector<effective_value> effective;    ///< in order of path
    std::map<std::string, plain_value> plain;  ///< of all of them, by path; for comparisons (changes.hpp)
};

/// A configuration and its errors.
struct checked_configuration {
    configuration content;  ///< with the default in place of each invalid value
    std::string problems;   ///< one per line: "file:line: key: expected this, found that"; empty: none
};

/// The text of etc/gallery.yml at the time of the build.
std::string_view default_document() noexcept;

/// The values of @p yaml, named @p file in messages, over the defaults. Error: invalid_argument for text that
/// is not YAML.
result<checked_configuration> check_text(std::string_view yaml, const std::string& file,
                                         const environment& env);

/// The same from a file. Error: besides, not_found or io_error for a file that cannot be read.
result<checked_configuration> check_file(const std::string& file, const environment& env);

/// check_text() for callers that use a configuration only where nothing is wrong with it. Error:
/// invalid_argument with the problems.
result<configuration> load_text(std::string_view yaml, const std::string& file, const environment& env);

/// The configuration if it is valid. Error: invalid_argument with the problems.
result<configuration> sound(result<checked_configuration> checked);

}  // namespace gallery::config
