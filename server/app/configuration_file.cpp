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

result<config::checked_configuration> check_configuration_file(const std::string& named) {
    const auto environment = config::process_environment();
    const std::string file =
        !named.empty()
            ? named
            : first_existing({beside_executable("../../../etc/gallery.yml"), "/etc/gallery/gallery.yml"});
    if (file.empty()) return config::check_text("", "gallery.yml (built in)", environment);
    return config::check_file(file, environment);
}

result<config::configuration> load_configuration(const std::string& named) {
    return config::sound(check_configuration_file(named));
}

}  // namespace gallery::app
