// SPDX-License-Identifier: Apache-2.0
/// A configuration file as a flat list of scalars with their places.
#pragma once

#include "config/substitute.hpp"

#include <gallery/error.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::config {

/// One value of a file.
struct scalar {
    std::string written;             ///< as in the file, before substitution
    std::string text;                ///< after it
    std::vector<std::string> names;  ///< environment variables that it names
    std::vector<std::string> used;   ///< those of them that were set
    std::string file;
    int line = 0;  ///< from 1

    /// "file:line"
    [[nodiscard]] std::string place() const { return file + ":" + std::to_string(line); }
};

/// Values by their path, keys joined with dots: "server.ssl.enabled".
using document = std::map<std::string, scalar>;

/// Reads YAML. @p file is its name in messages. @p problems receives the errors of single values, one per
/// line, which are then missing from the document: a sequence or tag in place of a value, a repeated key,
/// references that cannot be resolved, a second document, and endless aliases. Error: invalid_argument for
/// text that is not YAML.
result<document> parse_document(std::string_view yaml, const std::string& file, const environment& env,
                                std::string& problems);

}  // namespace gallery::config
