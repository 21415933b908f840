// SPDX-License-Identifier: Apache-2.0
#include "space_keeper.hpp"

#include "engine.hpp"

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>

#include <algorithm>
#include <chrono>

namespace gallery::rocks {
namespace {

constexpr std::uint64_t worthwhile = 1ULL << 20;  // bytes
/// Several erasures are one piece of work, and a resumption that fails is tried again.
constexpr std::chrono::milliseconds pause{200};
constexpr std::chrono::seconds retry{5};

}  // namespace

void space_keeper::start() {
    thread_ = std::thread([this] { run(); });
}

void space_keeper::stop() {
    const lock_guard lock(mutex_);
    stopped_.store(true);
    changed_.notify_all();
}

void space_keeper::join() {
    if (!thread_.joinable()) return;
    stop();
    thread_.join();
}

void space_keeper::wake() {
    const lock_guard lock(mutex_);
    if (wanted_) return;
    wanted_ = true;
    changed_.notify_all();
}

void space_keeper::note_error() {
    const lock_guard lock(mutex_);
    resume_wanted_ = true;
    changed_.notify_all();
}

void space_keeper::run() {
    const lock_guard lock(mutex_);
    while (!stopped_.load()) {
        if (!wanted_ && !resume_wanted_) {
            changed_.wait(mutex_);
            continue;
        }
        wait_until_stopped(std::chrono::steady_clock::now() + pause);
        if (stopped_.load()) return;
        const bool resumes = std::exchange(resume_wanted_, false);
        wanted_ = false;
        bool has_failed = false;
        {
            const unlock_guard unlocked(mutex_);
            has_failed = resumes && !engine_.resume();
            reclaim();
        }
        if (!has_failed) continue;
        const auto again = std::chrono::steady_clock::now() + retry;
        while (!stopped_.load() && !wanted_ &&
               changed_.wait_until(mutex_, again) == std::cv_status::no_timeout) {
        }
        resume_wanted_ = true;
    }
}

void space_keeper::wait_until_stopped(std::chrono::steady_clock::time_point deadline) {
    while (!stopped_.load() && changed_.wait_until(mutex_, deadline) == std::cv_status::no_timeout) {
    }
}

bool space_keeper::is_short() const {
    return engine_.reserve().is_short();
}

void space_keeper::reclaim() {
    if (!is_short()) return;
    flush();
    if (!stopped_.load() && changed_since_.exchange(false)) {
        compact();
        collect_garbage();
    }
    engine_.reserve().complete();
}

void space_keeper::flush() {
    std::uint64_t held = 0;
    engine_.db().GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &held);
    if (held < worthwhile) return;
    // A flush that fails stops all writes, so there has to be room for it. Afterwards the log is deleted.
    auto& reserve = engine_.reserve();
    const auto needed = held + reserve.margin();
    if (reserve.free_bytes() < needed) reserve.release(reserve_share::all);
    if (reserve.free_bytes() < needed) return;
    std::vector<rocksdb::ColumnFamilyHandle*> all;
    for (std::size_t i = 0; i < family_count; ++i)
        all.push_back(engine_.handle(static_cast<family>(i)));
    rocksdb::FlushOptions how;
    how.allow_write_stall = true;
    engine_.db().Flush(how, all).PermitUncheckedError();
    engine_.keep_buffers_filled();
}

void space_keeper::compact() {
    rocksdb::CompactRangeOptions how;
    how.canceled = &stopped_;
    how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    how.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kDisable;
    engine_.db().CompactRange(how, engine_.handle(family::bodies), nullptr, nullptr).PermitUncheckedError();
}

void space_keeper::collect_garbage() {
    auto& reserve = engine_.reserve();
    std::uint64_t before = ~std::uint64_t{0};
    while (!stopped_.load()) {
        rocksdb::ColumnFamilyMetaData found;
        engine_.db().GetColumnFamilyMetaData(engine_.handle(family::bodies), &found);
        auto& files = found.blob_files;
        std::sort(files.begin(), files.end(),
                  [](const auto& a, const auto& b) { return a.blob_file_number < b.blob_file_number; });
        std::uint64_t garbage = 0;
        for (const auto& file : files)
            garbage += file.garbage_blob_bytes;
        if (garbage < worthwhile || garbage >= before) return;
        before = garbage;
        // Live bytes are copied before the old files are deleted.
        const std::uint64_t free = reserve.free_bytes() + reserve.held();
        const std::uint64_t budget = free > reserve.margin() ? free - reserve.margin() : 0;
        std::uint64_t live = 0;
        std::size_t count = 0;
        std::size_t last_with_garbage = 0;
        for (; count < files.size(); ++count) {
            live += files[count].total_blob_bytes - files[count].garbage_blob_bytes;
            if (live > budget) break;
            if (files[count].garbage_blob_bytes != 0) last_with_garbage = count + 1;
        }
        if (last_with_garbage == 0) return;
        if (reserve.free_bytes() < live + reserve.margin()) reserve.release(reserve_share::all);
        rocksdb::CompactRangeOptions how;
        how.canceled = &stopped_;
        how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
        how.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
        // RocksDB takes this share of the files, the oldest ones, rounded down.
        how.blob_garbage_collection_age_cutoff =
            std::min(1.0, (static_cast<double>(last_with_garbage) + 0.5) / static_cast<double>(files.size()));
        if (!engine_.db().CompactRange(how, engine_.handle(family::bodies), nullptr, nullptr).ok()) return;
    }
}

}  // namespace gallery::rocks
