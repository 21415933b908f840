// SPDX-License-Identifier: Apache-2.0
#include "body_cache.hpp"

#include <sys/stat.h>
#include <ctime>
#include <utility>

namespace gallery::file_store {

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
    std::shared_ptr<const file_handle> file;
    file_state state;
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(key);
        if (found == entries_.end()) {
            ++misses_;
            return std::nullopt;
        }
        const auto where = found->second;
        auto& lru = list_of(*where);
        lru.splice(lru.begin(), lru, where);
        if (!where->file) {
            ++hits_;
            return body(where->content);
        }
        file = where->file;
        state = where->state;
    }
    const auto now = state_of(file->descriptor());
    const std::lock_guard lock(mutex_);
    if (now && *now == state) {
        ++hits_;
        return body(file_region{std::move(file), 0, state.size});
    }
    ++misses_;
    if (const auto found = entries_.find(key); found != entries_.end() && found->second->file == file)
        remove(found->second);
    return std::nullopt;
}

void body_cache::put(const body_key& key, const bytes& content) {
    add({key, content, nullptr, {}});
}

void body_cache::put(const body_key& key, std::shared_ptr<const file_handle> file, const file_state& state) {
    add({key, {}, std::move(file), state});
}

void body_cache::add(entry e) {
    const bool is_file = e.file != nullptr;
    if (is_file ? max_files_ == 0 : e.cost() > max_bytes_) return;
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(e.key); found != entries_.end()) remove(found->second);
    auto& lru = is_file ? files_ : small_;
    if (!is_file) bytes_ += e.cost();
    lru.push_front(std::move(e));
    entries_.emplace(lru.front().key, lru.begin());
    while (bytes_ > max_bytes_)
        remove(std::prev(small_.end()));
    while (files_.size() > max_files_)
        remove(std::prev(files_.end()));
}

void body_cache::remove(list::iterator where) {
    entries_.erase(where->key);
    if (!where->file) bytes_ -= where->cost();
    list_of(*where).erase(where);
}

void body_cache::drop(revision content_rev) {
    const std::lock_guard lock(mutex_);
    for (const bool preview : {false, true})
        if (const auto found = entries_.find({content_rev, preview}); found != entries_.end())
            remove(found->second);
}

body_cache::figures body_cache::statistics() const {
    const std::lock_guard lock(mutex_);
    return {bytes_, files_.size(), hits_, misses_};
}

}  // namespace gallery::file_store
