// SPDX-License-Identifier: Apache-2.0
#include "body_cache.hpp"

#include <sys/stat.h>
#include <ctime>
#include <utility>

namespace gallery::file_store {

namespace {

constexpr std::size_t entry_overhead = 200;  // node, place in the table, and their bookkeeping

}  // namespace

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

std::optional<body> body_cache::find(const body_key& key) {
    open_file known;
    {
        const lock_guard lock(mutex_);
        if (const auto* found = small_.find(key)) {
            ++hits_;
            return body(found->value);
        }
        const auto* found = files_.find(key);
        if (found == nullptr) {
            ++misses_;
            return std::nullopt;
        }
        known = found->value;
    }
    const auto now = state_of(known.file->descriptor());
    const lock_guard lock(mutex_);
    if (now && *now == known.state) {
        ++hits_;
        return body(file_region{std::move(known.file), 0, known.state.size});
    }
    ++misses_;
    if (auto* found = files_.peek(key); found != nullptr && found->value.file == known.file)
        files_.extract(*found);
    return std::nullopt;
}

void body_cache::put(const body_key& key, const bytes& content) {
    const lock_guard lock(mutex_);
    files_.erase(key);
    small_.put(key, content, content.size() + entry_overhead);
}

void body_cache::put(const body_key& key, std::shared_ptr<const file_handle> file, const file_state& state) {
    const lock_guard lock(mutex_);
    small_.erase(key);
    files_.put(key, {std::move(file), state}, 1);
}

void body_cache::drop(revision content_rev) {
    const lock_guard lock(mutex_);
    for (const bool preview : {false, true}) {
        small_.erase(body_key{content_rev, preview});
        files_.erase(body_key{content_rev, preview});
    }
}

void body_cache::set_bounds(std::size_t max_bytes, std::size_t max_files) {
    const lock_guard lock(mutex_);
    small_.set_bound(max_bytes);
    files_.set_bound(max_files);
    small_.make_room(0);
    files_.make_room(0);
}

body_cache::figures body_cache::statistics() const {
    const lock_guard lock(mutex_);
    return {small_.cost(), files_.size(), hits_, misses_};
}

}  // namespace gallery::file_store
