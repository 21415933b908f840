/// Folders that hold keys and pictures.
#pragma once

#include <gallery/error.hpp>

#include <string>

namespace gallery::app {

struct prepared_folder {
    std::string path;  ///< absolute
    std::string note;  ///< what was done that an operator should know; may be empty
};

/// Makes the folder, and those above it, for the server's user only. One that is there must belong to that
/// user and be writable for nobody else; where others may read it that is taken from them, and noted. Errors:
/// permission_denied, io_error, invalid_argument, each with the path and what to do.
result<prepared_folder> prepare_folder(const std::string& path);

}  // namespace gallery::app
