#include "app/data_folder.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace gallery::app {

result<prepared_folder> prepare_folder(const std::string& path) {
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
        return error{errc::io_error, "cannot make the folder " + folder.path + ": " +
                                         (failed ? failed.message() : std::string(std::strerror(errno)))};
    }
    if (!S_ISDIR(status.st_mode)) return error{errc::invalid_argument, folder.path + " is not a folder"};
    if (status.st_uid != ::geteuid()) {
        return error{errc::permission_denied,
                     "the folder " + folder.path + " belongs to user " + std::to_string(status.st_uid) +
                         ", expected the server's user " + std::to_string(::geteuid()) +
                         ", because it holds the key that tokens are signed with. Run: chown -R " +
                         std::to_string(::geteuid()) + " '" + folder.path + "'"};
    }
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777));
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return error{errc::permission_denied,
                     "the folder " + folder.path + " has the mode " + mode +
                         ", so others than the server's user can change what is in it. "
                         "Run: chmod 700 '" +
                         folder.path + "'"};
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        if (::chmod(folder.path.c_str(), S_IRWXU) != 0) {
            return error{errc::permission_denied,
                         "cannot take the folder " + folder.path + " from others: " + std::strerror(errno)};
        }
        folder.note = "the folder " + folder.path + " had the mode " + mode + " and has 0700 now";
    }
    return folder;
}

}  // namespace gallery::app
