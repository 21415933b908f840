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

/// Reads YAML. @p file is what messages call it. @p problems receives all that is wrong with single values,
/// one a line, which are then missing from the document: a sequence or tag where a value is expected, a key
/// that occurs twice, references that cannot be resolved, a second document, and aliases without an end.
/// Error: invalid_argument for text that is not YAML.
result<document> parse_document(std::string_view yaml, const std::string& file, const environment& env,
                                std::string& problems);

}  // namespace gallery::config
