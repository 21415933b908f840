// SPDX-License-Identifier: Apache-2.0
/// Whether two paths name one folder, and two addresses one store.
#pragma once

#include "mirror/state_file.hpp"

#include <filesystem>
#include <string>
#include <system_error>

namespace gallery::mirror {

/// Resolves symbolic links, as far as the paths exist. False for a path that cannot be resolved, unless both
/// are the same text. Blocks.
inline bool is_same_folder(const std::string& a, const std::string& b) {
    if (a == b) return true;
    if (a.empty() || b.empty()) return false;
    const auto resolved = [](const std::string& path, std::error_code& failed) {
        auto out = std::filesystem::weakly_canonical(path, failed);
        return out.has_filename() ? out : out.parent_path();
    };
    std::error_code failed;
    const auto first = resolved(a, failed);
    if (failed) return false;
    const auto second = resolved(b, failed);
    return !failed && first == second;
}

/// By the folder. Without one, by engine and options. Blocks.
inline bool is_same_store(const target_address& a, const target_address& b) {
    if (a.path.empty() && b.path.empty()) return a.engine == b.engine && a.options == b.options;
    return is_same_folder(a.path, b.path);
}

}  // namespace gallery::mirror
