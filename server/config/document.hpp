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

/// Reads YAML. @p file is what messages call it. All problems are found and said together, one a line.
/// Error: invalid_argument for what is not YAML, a sequence or tag where a value is expected, a key that is
/// there twice, references that cannot be resolved, a second document, and aliases without an end.
result<document> parse_document(std::string_view yaml, const std::string& file, const environment& env);

}  // namespace gallery::config
