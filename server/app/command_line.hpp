// SPDX-License-Identifier: Apache-2.0
/// The command line of gallery-server. Pure.
#pragma once

#include <gallery/error.hpp>

#include <span>
#include <string>
#include <string_view>

namespace gallery::app {

struct command_line {
    enum class action {
        serve,
        check_config,
        help,
        version,
        manual,                ///< these three are for the build, and not in help
        configuration_manual,  ///< of gallery.yml
        completion,            ///< for bash
    };
    action what = action::serve;
    std::string config_file;  ///< empty: look for it
    bool demo = false;
};

/// Error: invalid_argument for an unknown option or a missing value.
result<command_line> parse_command_line(std::span<const char* const> arguments);

/// The text of --help.
std::string usage();
/// gallery-server(8), for man.
std::string manual();
/// gallery.yml(5), for man.
std::string configuration_manual();
/// For bash.
std::string completion();

/// "gallery-server " and the project's version, which the top CMakeLists.txt states
std::string version_text();

}  // namespace gallery::app
