// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

#include "codec.hpp"

#include <rocksdb/listener.h>

#include <sys/stat.h>

namespace gallery::rocks {

error to_error(const rocksdb::Status& status, std::string_view doing) {
    std::string said = status.ToString();
    const auto make = [&](errc code, std::string_view advice) {
        std::string text("rocksdb: ");
        text.append(doing).append(": ").append(said).append(".");
        if (!advice.empty()) text.append(" ").append(advice);
        return error{code, std::move(text)};
    };
    if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit)
        return make(errc::no_space, "Nothing was changed; free space on the disk of the store.");
    if (status.IsCorruption())
        return make(errc::corrupt, "Run `gallery-admin verify` to see what is affected.");
    if (status.IsBusy() || status.IsTryAgain() || status.IsTimedOut() || status.IsMemoryLimit() ||
        status.IsIncomplete())
        return make(errc::busy, "Try again later.");
    if (status.IsShutdownInProgress() || status.IsAborted())
        return make(errc::unavailable, "The store is stopping.");
    if (status.IsIOError()) return make(errc::io_error, "Check the disk and the system log.");
    return make(errc::internal, "");
}

rocksdb::ReadOptions engine::read_options(reach how, const snapshot_ptr& at) {
    rocksdb::ReadOptions read;
    read.verify_checksums = true;
    read.snapshot = at.get();
    if (how == reach::memory) read.read_tier = rocksdb::kBlockCacheTier;
    if (how == reach::disk_aside) read.fill_cache = false;
    return read;
}

rocksdb::Status engine::get(family which, std::string_view key, rocksdb::PinnableSlice& value, reach how,
                            const snapshot_ptr& at) const {
    auto status = db_->Get(read_options(how, at), handle(which), slice(key), &value);
    // For reads from memory only, RocksDB returns "found, and empty" for a key in a file that is not open
    // yet, for example after a start. It means that the key may exist. No value here is empty.
    if (how == reach::memory && status.ok() && value.empty()) return rocksdb::Status::Incomplete();
    return status;
}

engine::cursor::cursor(const engine& from, family which, range bounds, reach how, const snapshot_ptr& at)
    : bounds_(std::make_unique<range>(std::move(bounds))), slices_(std::make_unique<slices>()), at_(at) {
    slices_->lower = slice(bounds_->from);
    slices_->upper = slice(bounds_->below);
    auto read = read_options(how, at_);
    read.iterate_lower_bound = &slices_->lower;
    if (!bounds_->below.empty()) read.iterate_upper_bound = &slices_->upper;
    read.auto_prefix_mode = false;
    iterator_.reset(from.db().NewIterator(read, from.handle(which)));
}

engine::cursor engine::iterate(family which, range bounds, reach how, const snapshot_ptr& at) const {
    return {*this, which, std::move(bounds), how, at};
}

engine::cursor engine::iterate_prefix(family which, std::string prefix, reach how,
                                      const snapshot_ptr& at) const {
    range bounds;
    bounds.below = after_prefix(prefix);
    bounds.from = std::move(prefix);
    return {*this, which, std::move(bounds), how, at};
}

snapshot_ptr engine::snapshot() const {
    return {db_->GetSnapshot(),
            [db = db_.get()](const rocksdb::Snapshot* taken) { db->ReleaseSnapshot(taken); }};
}

result<std::uint64_t> engine::number(std::string_view key, const snapshot_ptr& at) const {
    rocksdb::PinnableSlice value;
    const auto status = get(family::meta, key, value, reach::disk, at);
    if (status.IsNotFound()) return std::uint64_t{0};
    if (!status.ok()) return to_error(status, "reading a counter");
    const auto number = decode_number(view(value));
    if (!number) return error{errc::corrupt, "rocksdb: a counter of the store cannot be read."};
    return *number;
}

namespace {

/// What failed was the synchronisation of what had been written, so what is in the file is unknown.
bool failed_to_synchronise(const rocksdb::Status& status) {
    const std::string text = status.ToString();
    for (const auto* call : {"fdatasync", "fsync", "sync_file_range"})
        if (text.find(call) != std::string::npos) return true;
    return false;
}

bool is_out_of_space(const rocksdb::Status& status) {
    return status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit;
}

}  // namespace

write_state engine::writing() const {
    if (takes_writes_.load(std::memory_order_relaxed)) return {};
    const lock_guard lock(state_mutex_);
    return state_;
}

void engine::stop_writing(write_state::kind how, std::string why) {
    const lock_guard lock(state_mutex_);
    if (state_.state != write_state::kind::ok) return;
    state_ = {how, std::move(why)};
    takes_writes_.store(false, std::memory_order_relaxed);
}

void engine::stop_after(const std::string& what) {
    stop_writing(write_state::kind::failed,
                 "rocksdb: " + what + " Reading continues. Check the disk, then restart the server.");
    log_(log_level::error, writing().reason);
}

bool engine::log_has_room(std::uint64_t size) const {
    std::unique_ptr<rocksdb::LogFile> log;
    struct stat file {};
    if (!db_->GetCurrentWalFile(&log).ok()) return false;
    const std::string path = folder_ + "/db" + log->PathName();
    if (::stat(path.c_str(), &file) != 0) return false;
    const auto allocated = static_cast<std::uint64_t>(file.st_blocks) * 512;
    const auto used = static_cast<std::uint64_t>(file.st_size);
    constexpr std::uint64_t slack = 64 * 1024;  // RocksDB's own overhead, and other writes at the same time
    return allocated >= used + 2 * size + slack;
}

bool engine::has_room(std::uint64_t size, reserve_share share) {
    // RocksDB has allocated a part of its log in advance, which is for these writes as well.
    if (share != reserve_share::none)
        return reserve_.has_free(size) || log_has_room(size) || reserve_.admit(size, share);
    // Bytes go to the write-ahead log first and to a blob file later, when the log is deleted.
    if (!reserve_.admit(2 * size, share)) return false;
    const std::uint64_t free = reserve_.free_bytes();
    if (free >= 2 * size + reserve_.margin() + 2 * body_buffer_limit_) return true;
    return reserve_.admit(2 * size + unflushed_body_bytes(), share);
}

rocksdb::Status engine::write(rocksdb::WriteBatch& batch) {
    rocksdb::WriteOptions how;
    how.sync = true;
    return db_->Write(how, &batch);
}

std::optional<error> engine::refuse_stopped() const {
    if (takes_writes_.load(std::memory_order_relaxed)) return std::nullopt;
    return error{errc::read_only, "The store does not accept writes at the moment. Nothing was changed."};
}

error engine::disk_is_full() {
    keeper_->wake();
    return {errc::no_space,
            "The disk of the store is full. Nothing was changed. Delete images or free space."};
}

std::optional<error> engine::refuse(std::uint64_t size, reserve_share share) {
    if (auto stopped = refuse_stopped()) return stopped;
    if (has_room(size, share)) return std::nullopt;
    return disk_is_full();
}

std::optional<error> engine::refuse_file(std::uint64_t size) {
    if (auto stopped = refuse_stopped()) return stopped;
    // Committed bodies in memory need space in blob files while the log still contains them.
    if (reserve_.admit(size + unflushed_body_bytes(), reserve_share::none)) return std::nullopt;
    return disk_is_full();
}

result<void> engine::commit(rocksdb::WriteBatch& batch, reserve_share share) {
    if (auto refused = refuse(batch.GetDataSize(), share)) return std::move(*refused);
    return commit_admitted(batch, share);
}

result<void> engine::commit_admitted(rocksdb::WriteBatch& batch, reserve_share share) {
    const auto size = batch.GetDataSize();
    if (failed_.load(std::memory_order_relaxed) && !resume()) {
        reserve_.release(share);
        resume();
    }
    make_room(size);
    auto status = write(batch);
    // Another process may have taken what was free, or RocksDB needed more for its own files.
    for (int attempt = 0; attempt < 3 && is_out_of_space(status) && !failed_to_synchronise(status);
         ++attempt) {
        failed_.store(true, std::memory_order_relaxed);
        if (share == reserve_share::none || (!reserve_.release(share) && attempt > 0)) break;
        if (resume()) status = write(batch);
    }
    if (status.ok()) {
        steer_blob_collection(size);
        if (share != reserve_share::half) keeper_->note_change();
        if (share == reserve_share::all && reserve_.is_short()) keeper_->wake();
        return {};
    }
    failed_.store(true, std::memory_order_relaxed);
    if (failed_to_synchronise(status))
        return error{errc::io_error, "rocksdb: writing: " + status.ToString() +
                                         ". Whether the write happened is unknown. Check the disk."};
    if (!is_out_of_space(status) && !takes_writes_.load(std::memory_order_relaxed))
        return error{errc::io_error, "rocksdb: writing: " + status.ToString() +
                                         ". Whether the write happened is unknown. Check the disk, then "
                                         "restart the server."};
    return to_error(status, "writing");
}

rocksdb::Status engine::write_lazily(rocksdb::WriteBatch& batch) {
    if (!takes_writes_.load(std::memory_order_relaxed) ||
        !reserve_.admit(batch.GetDataSize(), reserve_share::half))
        return rocksdb::Status::NoSpace();
    return db_->Write(rocksdb::WriteOptions(), &batch);
}

bool engine::has_buffered_writes() const {
    std::uint64_t active = 0;
    std::uint64_t waiting = 0;
    using properties = rocksdb::DB::Properties;
    db_->GetAggregatedIntProperty(properties::kNumEntriesActiveMemTable, &active);
    db_->GetAggregatedIntProperty(properties::kNumImmutableMemTable, &waiting);
    return active + waiting != 0;
}

bool engine::keep_buffers_filled() {
    rocksdb::WriteBatch same;
    same.Put(handle(family::meta), slice(format_key), encode_number(format_version));
    rocksdb::WriteOptions how;
    how.disableWAL = true;
    return db_->Write(how, &same).ok();
}

bool engine::resume() {
    const lock_guard lock(resume_mutex_);
    // While RocksDB is stopped because of its log, no write fills a buffer.
    if (log_failed_ && !has_buffered_writes()) {
        stop_writing(write_state::kind::failed,
                     "rocksdb: the disk was full when the write-ahead log was written, and the log cannot be "
                     "continued. Reading continues. Free space, then restart the server.");
        log_(log_level::error, writing().reason);
        return false;
    }
    const bool log_failed = log_failed_.exchange(false);
    if (!db_->Resume().ok()) {
        if (log_failed) log_failed_ = true;
        return false;
    }
    if (!keep_buffers_filled()) return false;
    if (failed_.exchange(false, std::memory_order_relaxed))
        log_(log_level::info, "rocksdb: writing is possible again.");
    return true;
}

std::uint64_t engine::unflushed_body_bytes() const {
    std::uint64_t bytes = 0;
    db_->GetIntProperty(handle(family::bodies), rocksdb::DB::Properties::kCurSizeAllMemTables, &bytes);
    return bytes;
}

void engine::collect_garbage() {
    auto* const bodies = handle(family::bodies);
    rocksdb::FlushOptions flush;
    flush.allow_write_stall = true;
    rocksdb::CompactRangeOptions how;
    how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    how.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
    how.blob_garbage_collection_age_cutoff = 1.0;
    if (db_->Flush(flush, bodies).ok())
        db_->CompactRange(how, bodies, nullptr, nullptr).PermitUncheckedError();
    keep_buffers_filled();
}

void engine::make_room(std::uint64_t size) {
    // RocksDB bounds its buffers by their number and takes each one as large as the last write makes it.
    // Large bodies would fill several, so they wait for the disk here instead.
    constexpr std::uint64_t large = 1ULL << 20;
    if (size < large) return;
    const lock_guard lock(room_mutex_);
    const std::uint64_t held = unflushed_body_bytes();
    if (held < large || held + size <= body_buffer_limit_) return;
    rocksdb::FlushOptions flush;
    flush.allow_write_stall = true;
    // A failure shows in the write that follows.
    db_->Flush(flush, handle(family::bodies)).PermitUncheckedError();
}

void engine::steer_blob_collection(std::uint64_t written) {
    // While RocksDB collects garbage, every compaction moves the pictures of the oldest blob files, whether
    // there is garbage in them or not: much writing, and memory for the largest picture. So it does that
    // only while a good part of the files is garbage.
    constexpr std::uint64_t check_every = 32ULL << 20;
    if (written_since_check_.fetch_add(written, std::memory_order_relaxed) + written < check_every) return;
    if (!blob_collection_mutex_.try_lock()) return;
    const lock_guard lock(blob_collection_mutex_, std::adopt_lock);
    written_since_check_.store(0, std::memory_order_relaxed);
    std::uint64_t total = 0;
    std::uint64_t garbage = 0;
    auto* const bodies = handle(family::bodies);
    using properties = rocksdb::DB::Properties;
    if (!db_->GetIntProperty(bodies, properties::kLiveBlobFileSize, &total) ||
        !db_->GetIntProperty(bodies, properties::kLiveBlobFileGarbageSize, &garbage))
        return;
    const bool wanted = garbage > total / (collects_blobs_ ? 8 : 4);
    if (wanted == collects_blobs_) return;
    if (db_->SetOptions(bodies, {{"enable_blob_garbage_collection", wanted ? "true" : "false"}}).ok())
        collects_blobs_ = wanted;
}

}  // namespace gallery::rocks
