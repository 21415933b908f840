// SPDX-License-Identifier: Apache-2.0
#include "admin/image_files.hpp"

namespace gallery::admin {

std::optional<std::string> wrong_in_archive(std::string_view name) {
    if (name.empty()) return "is empty";
    if (name[0] == '/' || name.find('\\') != std::string_view::npos ||
        name.find('\0') != std::string_view::npos || (name.size() > 1 && name[1] == ':')) {
        return "is not a relative path";
    }
    while (!name.empty()) {
        const auto slash = name.find('/');
        if (name.substr(0, slash) == "..") return "leads out of the archive";
        name = slash == std::string_view::npos ? std::string_view() : name.substr(slash + 1);
    }
    return std::nullopt;
}

}  // namespace gallery::admin
