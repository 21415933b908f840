/// From a file and the environment to settings.
#pragma once

#include "config/document.hpp"
#include "config/settings.hpp"
#include "config/substitute.hpp"

#include <gallery/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace gallery::config {

/// One value as it is in force.
struct effective_value {
    std::string path;
    std::string text;  ///< "********" for a secret that is set
    std::string from;  ///< "environment HTTP_BIND_PORT", "/etc/gallery/gallery.yml:12" or "default"
    std::vector<std::string> names;  ///< environment variables that set it
    std::string place;               ///< "file:line" of what it is written in, also where that is a default
    std::string origin;              ///< " (from the environment variable ...)", or empty

    /// A message about it, in the form in which load_text() says what is wrong.
    [[nodiscard]] std::string problem(const std::string& what) const {
        return place + ": " + path + ": " + what + origin;
    }
};

struct configuration {
    settings values;
    std::vector<effective_value> effective;  ///< in order of path
};

/// The text of etc/gallery.yml as it was when the server was built.
std::string_view default_document() noexcept;

/// The values of @p yaml, which messages call @p file, over the defaults. Error: invalid_argument with all
/// that is wrong, one a line: "file:line: key: expected this, found that".
result<configuration> load_text(std::string_view yaml, const std::string& file, const environment& env);

/// The same from a file. Error: besides, not_found or io_error for a file that cannot be read.
result<configuration> load_file(const std::string& file, const environment& env);

}  // namespace gallery::config
