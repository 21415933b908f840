// SPDX-License-Identifier: Apache-2.0
#include "app/configuration_file.hpp"

#include "app/process.hpp"

namespace gallery::app {

int exit_code_of(errc code) noexcept {
    switch (code) {
        case errc::invalid_argument:
        case errc::permission_denied:
        case errc::not_found:
            return exit_config;
        case errc::internal:
            return exit_software;
        default:
            return exit_unavailable;
    }
}

std::string find_configuration_file(const std::string& named) {
    if (!named.empty()) return named;
    return first_existing({beside_executable("../../../etc/gallery.yml"), "/etc/gallery/gallery.yml"});
}

result<config::checked_configuration> read_configuration_file(const std::string& found) {
    const auto environment = config::process_environment();
    if (found.empty()) return config::check_text("", "gallery.yml (built in)", environment);
    return config::check_file(found, environment);
}

result<config::checked_configuration> check_configuration_file(const std::string& named) {
    return read_configuration_file(find_configuration_file(named));
}

result<config::configuration> load_configuration(const std::string& named) {
    return config::sound(check_configuration_file(named));
}

}  // namespace gallery::app
