// SPDX-License-Identifier: Apache-2.0
/// Plugins of this build, copied to where a test may change their owner and mode.
#pragma once

#include "scratch_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace gallery::plugins::test {

/// lib/gallery of the build.
inline std::filesystem::path built() {
    const auto* build = std::getenv("GALLERY_BUILD");
    return std::filesystem::path(build != nullptr ? build : "build/release") / "lib/gallery";
}

/// A folder with plugins that only this user can write, whatever the build's are.
class plugin_folder {
public:
    /// @p from is "plugins" or "test-plugins".
    std::string add(const std::string& from, const std::string& name) {
        const auto file = path() / (name + ".so");
        std::filesystem::copy_file(built() / from / (name + ".so"), file);
        std::filesystem::permissions(file, std::filesystem::perms(0644));
        return file.string();
    }
    [[nodiscard]] std::filesystem::path path() const { return std::filesystem::canonical(folder_.path()); }

private:
    gallery::test::scratch_folder folder_;
};

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace gallery::plugins::test
