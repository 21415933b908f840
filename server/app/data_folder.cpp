// SPDX-License-Identifier: Apache-2.0
#include "app/data_folder.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gallery::app {

namespace {

std::string name_of(uid_t user) {
    const passwd* known = ::getpwuid(user);
    return known == nullptr ? std::string() : known->pw_name;
}

std::string described(uid_t user) {
    const auto name = name_of(user);
    return "user " + (name.empty() ? std::to_string(user) : name + " (" + std::to_string(user) + ")");
}

/// To change the owner instead would lock out the server that the folder belongs to.
error belongs_to_another(const std::string& path, const struct stat& status) {
    const auto name = name_of(status.st_uid);
    const auto command = name.empty() ? "setpriv --reuid " + std::to_string(status.st_uid) + " --regid " +
                                            std::to_string(status.st_gid) + " --clear-groups COMMAND"
                                      : "runuser -u " + name + " -- COMMAND";
    return {errc::permission_denied, "the folder " + path + " belongs to " + described(status.st_uid) +
                                         ", but the process runs as " + described(::geteuid()) +
                                         ". Run the command as the folder's user, from root's shell: " +
                                         command + "; or set another folder (GALLERY_DATA, STORAGE_PATH)"};
}

/// The name of something in the folder; empty where there is nothing.
std::string some_entry(const std::string& path) {
    std::error_code failed;
    const std::filesystem::directory_iterator entries(path, failed);
    if (failed) return "contents that cannot be listed: " + failed.message();
    return entries == std::filesystem::directory_iterator() ? std::string()
                                                            : entries->path().filename().string();
}

}  // namespace

bool is_data_folder(const std::string& path) {
    std::error_code failed;
    const std::filesystem::path folder(path);
    return std::filesystem::is_regular_file(folder / node_id_file, failed) ||
           std::filesystem::is_regular_file(folder / signing_key_file, failed);
}

temporary_folder::temporary_folder() {
    std::error_code failed;
    auto pattern = (std::filesystem::temp_directory_path(failed) / "gallery-XXXXXX").string();
    if (!failed && ::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string absolute_folder(const std::string& path) {
    std::error_code failed;
    return std::filesystem::absolute(path, failed).lexically_normal().string();
}

bool is_filled_folder(const std::string& path) {
    std::error_code failed;
    return std::filesystem::is_directory(path, failed) && !std::filesystem::is_empty(path, failed) && !failed;
}

result<void> check_owner(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && status.st_uid != ::geteuid())
        return belongs_to_another(path, status);
    return {};
}

result<prepared_folder> prepare_folder(const std::string& path, bool ours) {
    prepared_folder folder;
    std::error_code failed;
    folder.path = std::filesystem::absolute(path, failed).lexically_normal().string();
    while (folder.path.size() > 1 && folder.path.ends_with('/'))
        folder.path.pop_back();
    if (failed) return error{errc::io_error, "cannot find the folder " + path + ": " + failed.message()};

    // With the process's umask all that is made here is for its user only.
    std::filesystem::create_directories(folder.path, failed);
    struct stat status {};
    if (failed || ::stat(folder.path.c_str(), &status) != 0) {
        return error{errc::io_error, "cannot create the folder " + folder.path + ": " +
                                         (failed ? failed.message() : std::string(std::strerror(errno)))};
    }
    if (!S_ISDIR(status.st_mode)) return error{errc::invalid_argument, folder.path + " is not a folder"};
    if (status.st_uid != ::geteuid()) return belongs_to_another(folder.path, status);
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777));
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return error{errc::permission_denied, "the folder " + folder.path + " has the mode " + mode +
                                                  ", so other users can change its contents. "
                                                  "Run: chmod 700 '" +
                                                  folder.path + "'"};
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        // Other users may need the other contents of the folder.
        if (const auto entry = ours ? std::string() : some_entry(folder.path); !entry.empty()) {
            return error{
                errc::permission_denied,
                "the folder " + folder.path + " has the mode " + mode +
                    ", so other users can read it, and its contents are not known to be the server's ('" +
                    entry + "'). If the folder is for the server alone, run: chmod 700 '" + folder.path +
                    "'; otherwise set another folder (GALLERY_DATA, STORAGE_PATH)"};
        }
        if (::chmod(folder.path.c_str(), S_IRWXU) != 0) {
            return error{errc::permission_denied,
                         "cannot restrict access to the folder " + folder.path + ": " + std::strerror(errno)};
        }
        folder.note = "the folder " + folder.path + " had the mode " + mode + " and has 0700 now";
    }
    return folder;
}

}  // namespace gallery::app
