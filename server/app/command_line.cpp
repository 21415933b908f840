// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include <gallery/abi_headers.hpp>

namespace gallery::app {

result<command_line> parse_command_line(std::span<const char* const> arguments) {
    command_line parsed;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view option = arguments[i];
        if (option == "--help" || option == "-h") {
            parsed.what = command_line::action::help;
            return parsed;
        }
        if (option == "--version") {
            parsed.what = command_line::action::version;
            return parsed;
        }
        if (option == "--check-config") {
            parsed.what = command_line::action::check_config;
        } else if (option == "--demo") {
            parsed.demo = true;
        } else if (option.starts_with("--config=") && option.size() > 9) {
            parsed.config_file = option.substr(9);
        } else if (option == "--config" && i + 1 < arguments.size() && *arguments[i + 1] != '\0') {
            parsed.config_file = arguments[++i];
        } else if (option.starts_with("--config")) {
            return error{errc::invalid_argument, "--config requires the path of a file: --config FILE"};
        } else {
            return error{errc::invalid_argument,
                         "'" + std::string(option) + "' is not an option. --help lists the options."};
        }
    }
    return parsed;
}

std::string_view usage() noexcept {
    return R"(usage: gallery-server [--config FILE] [--demo] [--check-config]

An image gallery server for many tenants that implements ThingsBoard's image API.

  --config FILE    configuration file; default: etc/gallery.yml beside the build,
                   else /etc/gallery/gallery.yml, else the built-in defaults
  --demo           create a demo tenant with an administrator, a customer user and
                   sample images, if they do not exist
  --check-config   print the values in use, with secrets masked; check them, the
                   options of the storage engine, TLS files and folders; exit
  --version        print the version and exit
  --help           print this text and exit

Every value of the configuration can be set by an environment variable
(HTTP_BIND_PORT, STORAGE_PLUGIN, ...). gallery.yml describes all of them.

signals:     TERM and INT stop after in-flight requests, a second one immediately;
             HUP reloads the TLS certificate
exit codes:  0 stopped as requested, 64 wrong options, 69 the store or an address
             cannot be used, 70 a fault of the server, 78 wrong configuration
)";
}

std::string version_text() {
    return "gallery-server " GALLERY_VERSION;
}

}  // namespace gallery::app
