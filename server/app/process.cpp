#include "app/process.hpp"

#include "storage/trust.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace gallery::app {

namespace {

/// Fewer open files than this and a busy server meets the limit.
constexpr rlim_t comfortable_files = 8192;

}  // namespace

std::vector<std::string> prepare_process() {
    std::vector<std::string> notes;
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
            notes.push_back(
                "at most " + std::to_string(files.rlim_max) +
                " files may be open at once, which bounds the "
                "number of connections; raise the hard limit (LimitNOFILE= in systemd, ulimit -Hn)");
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
    return (std::filesystem::path(storage::executable_folder()) / relative).lexically_normal().string();
}

}  // namespace gallery::app
