// SPDX-License-Identifier: Apache-2.0
/// Who could change a file that is about to be loaded into the server.
#pragma once

#include <gallery/error.hpp>

#include <string>

namespace gallery::plugins {

/// Resolves symbolic links of @p file and checks that only root and the server's own user can replace or
/// change it: owner and mode of the file, of its folder, and of the folders above. Of these a root-owned one
/// with the sticky bit may be writable for all, and those that the server's own executable lies below are not
/// asked: whoever can write there can replace the server itself. Returns the resolved path. Errors:
/// not_found, io_error, invalid_argument (not a regular file), permission_denied with what to do.
result<std::string> trusted_file(const std::string& file);

/// The folder that the running executable lies in, links resolved.
std::string executable_folder();

}  // namespace gallery::plugins
