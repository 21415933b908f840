// SPDX-License-Identifier: Apache-2.0
#include "mirror/private_file.hpp"

#include <gallery/files.hpp>

#include <utility>

namespace gallery::mirror {

result<void> write_private_file(const std::string& path, std::string_view text) {
    constexpr unsigned only_its_user = 0600;
    return replace_file(path, path + ".new", text, only_its_user);
}

result<std::optional<std::string>> read_private_file(const std::string& path) {
    auto text = read_file(path);
    if (text) return std::optional(std::move(*text));
    if (text.error().code == errc::not_found) return std::optional<std::string>();
    return text.error();
}

}  // namespace gallery::mirror
