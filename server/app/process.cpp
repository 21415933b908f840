// SPDX-License-Identifier: Apache-2.0
#include "app/process.hpp"

#include "plugins/trust.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gallery::app {

namespace {

/// Fewer open files than this and a busy server meets the limit.
constexpr rlim_t comfortable_files = 8192;

/// A standard stream that the caller has closed must not become a file of the store. What is written to it
/// fails, as it did.
void hold_standard_streams() {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // The lowest number that is free, which is this one.
        if (::fcntl(stream, F_GETFD) == -1) static_cast<void>(::open("/dev/null", O_RDONLY));
    }
}

}  // namespace

std::vector<std::string> prepare_process() {
    std::vector<std::string> notes;
    hold_standard_streams();
    ::umask(077);
    std::signal(SIGPIPE, SIG_IGN);
    ::prctl(PR_SET_DUMPABLE, 0);

    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &files) != 0) {
            notes.push_back(std::string("the limit of open files could not be raised: ") +
                            std::strerror(errno));
        }
        if (files.rlim_max < comfortable_files) {
            notes.push_back("at most " + std::to_string(files.rlim_max) +
                            " files may be open, which limits the number of connections. Raise the hard "
                            "limit (LimitNOFILE= in systemd, ulimit -Hn)");
        }
    }
    return notes;
}

std::uint64_t open_file_limit() {
    rlimit files{};
    return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : 1024;
}

std::string first_existing(const std::vector<std::string>& candidates) {
    for (const auto& path : candidates) {
        std::error_code failed;
        if (std::filesystem::exists(path, failed)) return path;
    }
    return {};
}

std::string beside_executable(const std::string& relative) {
    return (std::filesystem::path(plugins::executable_folder()) / relative).lexically_normal().string();
}

}  // namespace gallery::app
