// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/fontconfig_start.hpp"

#include <fontconfig/fontconfig.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace gallery::imaging::worker {

bool fontconfig_start() {
    std::error_code failed;
    auto folder = (std::filesystem::temp_directory_path(failed) / "gallery-fonts-XXXXXX").string();
    // Without such a folder fontconfig works as well; it only complains.
    const bool made = !failed && ::mkdtemp(folder.data()) != nullptr;
    if (made) ::setenv("XDG_CACHE_HOME", folder.c_str(), 1);
    const bool started = FcInit() == FcTrue;
    if (made) {
        ::unsetenv("XDG_CACHE_HOME");
        std::filesystem::remove_all(folder, failed);
    }
    return started;
}

}  // namespace gallery::imaging::worker
