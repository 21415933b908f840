// SPDX-License-Identifier: Apache-2.0
/// The names of exported images' files. Pure.
///
/// A picture is in a file with its key as the name, and a JSON file beside it has the same name with ".json"
/// behind it. A key is data: what a file system, a shell or version control could take for something else is
/// percent-encoded, and a name that is too long is cut and gets a hash. So each key has one name, and no two
/// keys share one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gallery::admin {

/// The name of the picture's file: never empty for a key, never hidden, and without a path.
std::string picture_file_name(std::string_view key);

inline constexpr std::string_view sidecar_ending = ".json";

/// Whether a file may be the JSON of an image.
bool is_sidecar_name(std::string_view name) noexcept;

/// Why a name in an archive is refused; empty for a good one. Names have '/' between folders.
std::optional<std::string> wrong_in_archive(std::string_view name);

}  // namespace gallery::admin
