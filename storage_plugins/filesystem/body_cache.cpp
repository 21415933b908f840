// SPDX-License-Identifier: Apache-2.0
#include "body_cache.hpp"

#include <utility>

namespace gallery::file_store {

namespace {

constexpr std::size_t entry_overhead = 200;  // node, place in the table, and their bookkeeping

}  // namespace

std::optional<body> body_cache::find(const body_key& key) {
    {
        const lock_guard lock(mutex_);
        if (const auto* found = small_.find(key)) {
            small_hits_.fetch_add(1, std::memory_order_relaxed);
            return body(found->value);
        }
    }
    return files_.find(key);
}

void body_cache::put(const body_key& key, const bytes& content) {
    const lock_guard lock(mutex_);
    small_.put(key, content, content.size() + entry_overhead);
}

void body_cache::put(const body_key& key, std::shared_ptr<const file_handle> file,
                     const kit::file_state& state, std::uint64_t generation) {
    files_.put(key, std::move(file), state, generation);
}

void body_cache::drop(revision content_rev) {
    for (const bool preview : {false, true}) {
        const body_key key{content_rev, preview};
        files_.erase(key);
        const lock_guard lock(mutex_);
        small_.erase(key);
    }
}

void body_cache::set_bounds(std::size_t max_bytes, std::size_t max_files) {
    files_.set_bound(max_files);
    const lock_guard lock(mutex_);
    small_.set_bound(max_bytes);
    small_.make_room(0);
}

body_cache::figures body_cache::statistics() const {
    const auto files = files_.statistics();
    const lock_guard lock(mutex_);
    return {small_.cost(), files.files, files.hits + small_hits_.load(std::memory_order_relaxed),
            files.misses};
}

}  // namespace gallery::file_store
