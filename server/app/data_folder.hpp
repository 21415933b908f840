// SPDX-License-Identifier: Apache-2.0
/// Folders that contain keys and images.
#pragma once

#include <gallery/error.hpp>

#include <string>

namespace gallery::app {

struct prepared_folder {
    std::string path;  ///< absolute
    std::string note;  ///< a message for the operator; may be empty
};

/// Of the data folder: the id of the server, and the signing key of an earlier version, which is in the store
/// now.
inline constexpr const char* node_id_file = "node-id";
inline constexpr const char* signing_key_file = "token-signing-key";

/// Whether the folder has been a server's data folder before: it has one of these.
bool is_data_folder(const std::string& path);

/// Creates the folder, and those above it, for the server's user only. An existing folder must belong to that
/// user and be writable for no other user. If others may read it, this is changed and noted, but only if it
/// is empty or @p ours confirms that it is a data folder; otherwise it is refused unchanged. Errors:
/// permission_denied, io_error, invalid_argument, each with the path and the remedy.
result<prepared_folder> prepare_folder(const std::string& path, bool ours);

/// Below TMPDIR, for the process's user only, removed with what is in it.
class temporary_folder {
public:
    temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();
    /// Empty where it could not be made.
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// The absolute form of a folder's path, as it is stored and compared; links in it stay.
std::string absolute_folder(const std::string& path);

/// False also for a folder that cannot be read.
bool is_filled_folder(const std::string& path);

/// Error: permission_denied for a folder that is there and belongs to another user, with how to run as that
/// one.
result<void> check_owner(const std::string& path);

}  // namespace gallery::app
