// SPDX-License-Identifier: Apache-2.0
/// Folders that hold keys and pictures.
#pragma once

#include <gallery/error.hpp>

#include <string>

namespace gallery::app {

struct prepared_folder {
    std::string path;  ///< absolute
    std::string note;  ///< what was done that an operator should know; may be empty
};

/// Of the data folder.
inline constexpr const char* signing_key_file = "token-signing-key";

/// Whether the folder has been a server's data folder before: it has a signing key.
bool is_data_folder(const std::string& path);

/// Makes the folder, and those above it, for the server's user only. One that is there must belong to that
/// user and be writable for nobody else. Where others may read it that is taken from them, and noted, if it
/// is empty or @p ours says that nobody else keeps anything in it; else it is left as it is and refused.
/// Errors: permission_denied, io_error, invalid_argument, each with the path and what to do.
result<prepared_folder> prepare_folder(const std::string& path, bool ours);

/// Error: permission_denied for a folder that is there and belongs to another user, with how to run as that
/// one.
result<void> check_owner(const std::string& path);

}  // namespace gallery::app
