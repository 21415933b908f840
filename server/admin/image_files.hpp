// SPDX-License-Identifier: Apache-2.0
/// The names of exported images' files (images/exported_files.hpp), and names in archives. Pure.
#pragma once

#include "images/exported_files.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gallery::admin {

using images::is_sidecar_name;
using images::picture_file_name;
using images::sidecar_ending;

/// Why a name in an archive is refused; empty for a good one. Names have '/' between folders.
std::optional<std::string> wrong_in_archive(std::string_view name);

}  // namespace gallery::admin
