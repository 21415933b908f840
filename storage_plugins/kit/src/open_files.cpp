// SPDX-License-Identifier: Apache-2.0
#include <gallery/kit/open_files.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <algorithm>
#include <ctime>

namespace gallery::kit {

std::optional<file_state> state_of(int descriptor) {
    struct stat info {};
    if (::fstat(descriptor, &info) != 0) return std::nullopt;
    const auto nanoseconds = [](const timespec& t) {
        return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
    };
    // Unlinking a file changes its inode as well, and the bytes stay. It is checked once more then.
    return file_state{info.st_ino, static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim),
                      nanoseconds(info.st_ctim)};
}

bool tells_later_writes(const file_state& state) {
    constexpr std::int64_t second = 1'000'000'000;
    const bool is_coarse = state.changed % second == 0;  // ext3, some network file systems
    const std::int64_t step = is_coarse ? 2 * second : second / 20;
    timespec now{};
    if (::clock_gettime(CLOCK_REALTIME, &now) != 0) return false;
    return std::int64_t{now.tv_sec} * second + now.tv_nsec - state.changed > step;
}

std::size_t bounded_by_limit(std::size_t wanted) {
    rlimit limit{};
    const bool is_limited = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return is_limited ? std::min<std::size_t>(wanted, limit.rlim_cur / 4) : wanted;
}

}  // namespace gallery::kit
