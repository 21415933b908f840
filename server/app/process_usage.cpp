// SPDX-License-Identifier: Apache-2.0
#include "app/process_usage.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace gallery::app {

namespace {

std::string text_of(const char* file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// When the machine was started, in seconds since 1970.
std::optional<double> boot_time() {
    std::istringstream lines(text_of("/proc/stat"));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("btime ")) return std::stod(line.substr(6));
    }
    return std::nullopt;
}

}  // namespace

process_usage_figures process_usage() {
    process_usage_figures figures;
    // proc(5): the second field is the program's name in parentheses and may contain anything; the third is
    // the first behind the last parenthesis.
    const auto stat = text_of("/proc/self/stat");
    if (const auto name_end = stat.rfind(')'); name_end != std::string::npos) {
        std::istringstream rest(stat.substr(name_end + 1));
        constexpr int utime = 14, stime = 15, num_threads = 20, starttime = 22, vsize = 23, rss = 24;
        std::array<double, rss + 1> field{};
        std::string state;
        rest >> state;
        for (int i = 4; i <= rss; ++i)
            rest >> field[static_cast<std::size_t>(i)];
        if (rest) {
            const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
            figures.cpu_seconds = (field[utime] + field[stime]) / ticks;
            if (const auto boot = boot_time()) figures.start_time = *boot + field[starttime] / ticks;
            figures.virtual_bytes = field[vsize];
            figures.resident_bytes = field[rss] * static_cast<double>(::sysconf(_SC_PAGESIZE));
            figures.threads = field[num_threads];
        }
    }
    std::error_code failed;
    std::size_t listed = 0;
    for (std::filesystem::directory_iterator at("/proc/self/fd", failed), end; !failed && at != end;
         at.increment(failed))
        ++listed;
    // Without the one that the listing itself needs.
    if (!failed && listed > 0) figures.open_files = static_cast<double>(listed - 1);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
        figures.most_files = static_cast<double>(files.rlim_cur);
    return figures;
}

}  // namespace gallery::app
