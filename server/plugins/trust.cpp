// SPDX-License-Identifier: Apache-2.0
#include "plugins/trust.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

namespace gallery::plugins {

namespace {

std::string resolve(const std::string& path) {
    struct release {
        void operator()(char* text) const noexcept {
            std::free(text);
        }  // NOLINT: realpath allocates with malloc
    };
    const std::unique_ptr<char, release> resolved(::realpath(path.c_str(), nullptr));
    return resolved ? std::string(resolved.get()) : std::string();
}

std::string parent(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

/// Is @p folder the executable's own or one above it?
bool holds_the_server(const std::string& folder, const std::string& executable) {
    if (folder == "/" || folder == executable) return true;
    return executable.size() > folder.size() && executable.starts_with(folder) &&
           executable[folder.size()] == '/';
}

error refuse(const std::string& path, const char* what, const std::string& found, const std::string& advice) {
    return {errc::permission_denied, std::string(what) + " " + path + " " + found +
                                         ". Plugins run inside the server, so only root and the "
                                         "server's user may have write permission for them. " +
                                         advice};
}

result<void> check(const std::string& path, const char* what, const struct stat& status,
                   bool sticky_suffices) {
    const auto own = ::geteuid();
    if (status.st_uid != 0 && status.st_uid != own) {
        return refuse(path, what,
                      "belongs to user " + std::to_string(status.st_uid) +
                          ", expected root or the server's user " + std::to_string(own),
                      "Run: chown " + std::to_string(own) + " '" + path + "'");
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
    if (sticky_suffices && (status.st_mode & S_ISVTX) != 0 && status.st_uid == 0) return {};
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777));
    return refuse(path, what,
                  std::string("has the mode ") + mode + ", expected no write permission for group and others",
                  "Run: chmod go-w '" + path + "'");
}

}  // namespace

std::string executable_folder() {
    static const std::string folder = parent(resolve("/proc/self/exe"));
    return folder;
}

result<std::string> trusted_file(const std::string& file) {
    std::string path = resolve(file);
    struct stat status {};
    if (path.empty() || ::stat(path.c_str(), &status) != 0) {
        const int reason = errno;
        return error{reason == ENOENT || reason == ENOTDIR ? errc::not_found : errc::io_error,
                     "cannot read the plugin " + file + ": " + std::strerror(reason)};
    }
    if (!S_ISREG(status.st_mode)) {
        return error{errc::invalid_argument, "the plugin " + path + " is not a regular file"};
    }
    if (auto trusted = check(path, "the plugin", status, false); !trusted) return trusted.error();

    const std::string executable = executable_folder();
    const std::string own_folder = parent(path);
    for (std::string folder = own_folder;; folder = parent(folder)) {
        if (folder != own_folder && holds_the_server(folder, executable)) break;
        if (::stat(folder.c_str(), &status) != 0) {
            return error{errc::io_error,
                         "cannot examine the plugin's folder " + folder + ": " + std::strerror(errno)};
        }
        if (auto trusted = check(folder, "the plugin's folder", status, folder != own_folder); !trusted) {
            return trusted.error();
        }
        if (folder == "/") break;
    }
    return path;
}

}  // namespace gallery::plugins
