// SPDX-License-Identifier: Apache-2.0
/// Checks who can change a file that is to be loaded into the server.
#pragma once

#include <gallery/error.hpp>

#include <string>

namespace gallery::plugins {

/// Resolves symbolic links of @p file and checks that only root and the server's own user can replace or
/// change it: owner and mode of the file, of its folder, and of the folders above. A folder above that
/// belongs to root and has the sticky bit may be writable for all. Folders above the server's own executable
/// are not checked: a user who can write there can replace the server itself. Returns the resolved path.
/// Errors: not_found, io_error, invalid_argument (not a regular file), permission_denied with the remedy.
result<std::string> trusted_file(const std::string& file);

/// The folder of the running executable, links resolved.
std::string executable_folder();

}  // namespace gallery::plugins
