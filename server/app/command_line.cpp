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
            return error{errc::invalid_argument, "--config takes the path of a file: --config FILE"};
        } else {
            return error{
                errc::invalid_argument,
                "'" + std::string(option) + "' is not an option. --help shows those that there are."};
        }
    }
    return parsed;
}

std::string_view usage() noexcept {
    return R"(usage: gallery-server [--config FILE] [--demo] [--check-config]

An image gallery for many tenants that speaks ThingsBoard's image API.

  --config FILE    configuration; without it etc/gallery.yml beside the build or
                   /etc/gallery/gallery.yml, else what was built in
  --demo           make a tenant with an administrator, a customer's user and
                   sample pictures, where they are missing
  --check-config   say which values would be used, with secrets masked, whether
                   the storage plugin takes its options and the TLS files and
                   folders that are named can be read, and end
  --version        say the version and end
  --help           show this and end

Every value of the configuration is also an environment variable (HTTP_BIND_PORT,
STORAGE_PLUGIN, ...); gallery.yml names and explains them.

signals:     TERM and INT finish what is under way and stop, a second one stops at
             once; HUP reads the TLS certificate again
exit codes:  0 stopped as asked, 64 wrong options, 69 the store or an address cannot
             be used, 70 a fault of the server, 78 wrong configuration
)";
}

std::string version_text() {
    return "gallery-server " GALLERY_VERSION;
}

}  // namespace gallery::app
