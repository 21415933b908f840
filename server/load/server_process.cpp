// SPDX-License-Identifier: Apache-2.0
#include "load/server_process.hpp"

#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace gallery::load {

namespace {

namespace fs = std::filesystem;

std::string text_of_file(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::optional<pid_t> pid_of(const fs::path& folder) {
    const auto name = folder.filename().string();
    pid_t pid = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (failed != std::errc() || end != name.data() + name.size()) return std::nullopt;
    return pid;
}

/// Calls each(pid, folder) for the processes of this machine.
template <class Each>
void for_each_process(Each&& each) {
    std::error_code failed;
    for (fs::directory_iterator at("/proc", failed), end; !failed && at != end; at.increment(failed))
        if (const auto pid = pid_of(at->path())) each(*pid, at->path());
}

struct process_figures {
    pid_t parent = 0;
    std::uint64_t ticks = 0;
    std::uint64_t pages = 0;
};

/// Of the line in /proc/PID/stat; the name in it may contain spaces and brackets.
std::optional<process_figures> parse_stat(const std::string& text) {
    const auto name_end = text.rfind(") ");
    if (name_end == text.npos) return std::nullopt;
    std::istringstream in(text.substr(name_end + 2));
    std::vector<std::string> fields{std::istream_iterator<std::string>(in), {}};
    if (fields.size() < 22) return std::nullopt;
    process_figures out;
    // By the numbers of proc(5), of which the first here is 3.
    out.parent = static_cast<pid_t>(std::strtol(fields[4 - 3].c_str(), nullptr, 10));
    out.ticks = std::strtoull(fields[14 - 3].c_str(), nullptr, 10) +
                std::strtoull(fields[15 - 3].c_str(), nullptr, 10);
    out.pages = std::strtoull(fields[24 - 3].c_str(), nullptr, 10);
    return out;
}

/// Of the root and all below it.
process_figures figures_of_tree(pid_t root) {
    std::map<pid_t, process_figures> all;
    for_each_process([&](pid_t pid, const fs::path& folder) {
        if (auto found = parse_stat(text_of_file(folder / "stat"))) all[pid] = *found;
    });
    process_figures out;
    for (const auto& [pid, one] : all) {
        // Up to the root; a chain of parents is short.
        constexpr int most_levels = 16;
        auto at = pid;
        for (int level = 0; level < most_levels && at != root && all.contains(at); ++level)
            at = all[at].parent;
        if (at != root) continue;
        out.ticks += one.ticks;
        out.pages += one.pages;
    }
    return out;
}

std::set<std::string> listening_sockets(std::uint16_t port) {
    std::set<std::string> out;
    for (const auto* const file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream in(file);
        std::string line;
        std::getline(in, line);
        while (std::getline(in, line)) {
            std::istringstream words(line);
            const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
            // number, local address, remote address, state (0A: listening), ..., inode
            if (fields.size() < 10 || fields[3] != "0A") continue;
            const auto colon = fields[1].rfind(':');
            if (std::strtoul(fields[1].c_str() + colon + 1, nullptr, 16) == port)
                out.insert("socket:[" + fields[9] + "]");
        }
    }
    return out;
}

}  // namespace

std::optional<pid_t> listener_of(std::uint16_t port) {
    const auto sockets = listening_sockets(port);
    if (sockets.empty()) return std::nullopt;
    std::optional<pid_t> out;
    for_each_process([&](pid_t pid, const fs::path& folder) {
        if (out) return;
        std::error_code failed;
        for (fs::directory_iterator at(folder / "fd", failed), end; !failed && at != end;
             at.increment(failed)) {
            std::error_code unreadable;
            if (sockets.contains(fs::read_symlink(at->path(), unreadable).string())) out = pid;
        }
    });
    return out;
}

process_watch::process_watch(pid_t root)
    : root_(root), end_(::eventfd(0, EFD_CLOEXEC)), thread_([this] { watch(); }) {}

process_watch::~process_watch() {
    const std::uint64_t one = 1;
    // It cannot fail: the counter is far from its end.
    static_cast<void>(::write(end_, &one, sizeof one) == sizeof one);
    thread_.join();
    ::close(end_);
}

void process_watch::watch() {
    using clock = std::chrono::steady_clock;
    const auto ticks_a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const auto begun = clock::now();
    auto last = begun;
    auto before = figures_of_tree(root_);
    for (;;) {
        pollfd end{end_, POLLIN, 0};
        if (::poll(&end, 1, 1000) > 0) return;
        const auto now = clock::now();
        const auto figures = figures_of_tree(root_);
        const double passed = std::chrono::duration<double>(now - last).count();
        // Children that ended take their time with them.
        const auto ticks = figures.ticks > before.ticks ? figures.ticks - before.ticks : 0;
        process_sample made{std::chrono::duration<double>(now - begun).count(),
                            static_cast<double>(ticks) / ticks_a_second / passed, figures.pages * page};
        {
            const lock_guard held(mutex_);
            samples_.push_back(made);
        }
        last = now;
        before = figures;
    }
}

std::vector<process_sample> process_watch::samples() const {
    const lock_guard held(mutex_);
    return samples_;
}

}  // namespace gallery::load
