// SPDX-License-Identifier: Apache-2.0
// The images that come with the server: system images, and samples for a new demo tenant.
#include "app/log.hpp"
#include "app/parts.hpp"
#include "app/process.hpp"
#include "app/wait.hpp"
#include "images/system_images.hpp"

#include <string>
#include <utility>

namespace gallery::app {

namespace {

constexpr std::size_t sample_pictures = 12;

/// A store that accepts no writes is no error: the server then serves what is stored.
result<void> report_installation(const std::string& what, const result<images::installed_images>& installed) {
    if (!installed) {
        const auto& failed = installed.error();
        if (failed.code != errc::read_only && failed.code != errc::no_space)
            return error{failed.code, what + ": " + failed.message};
        log_warning(what + " are not installed: " + failed.message);
        return {};
    }
    for (const auto& problem : installed->problems)
        log_warning(what + ": " + problem);
    if (installed->installed + installed->updated > 0) {
        log_info(what + ": " + std::to_string(installed->installed) + " installed, " +
                 std::to_string(installed->updated) + " updated");
    }
    return {};
}

}  // namespace

result<void> gallery_server::parts::install_pictures() {
    const std::string folder = !settings.data.system_images_folder.empty()
                                   ? settings.data.system_images_folder
                                   : first_existing({beside_executable("../share/gallery/system-images"),
                                                     beside_executable("../../../etc/system-images")});
    if (folder.empty()) {
        log_warning(
            "no system images are installed, because there is no folder with them "
            "(GALLERY_SYSTEM_IMAGES_DIR)");
        return {};
    }
    const auto executor = http_->executor(0);
    const auto system =
        wait_for(executor, images::install_system_images(*images_, storage_.store->images(),
                                                         storage_.store->documents(), folder));
    if (auto done = report_installation("system images", system); !done) return done;
    if (!fill_demo_) return {};
    const auto samples =
        wait_for(executor, images::install_samples(*images_, demo_tenant_, folder, sample_pictures));
    return report_installation("sample images", samples);
}

}  // namespace gallery::app
