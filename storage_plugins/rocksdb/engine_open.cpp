// SPDX-License-Identifier: Apache-2.0
// How the database is opened: its limits, its recovery after a crash, and the refusals.
#include "codec.hpp"
#include "engine.hpp"
#include "info_log.hpp"
#include "upgrade.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/table.h>

#include <rocksdb/file_checksum.h>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace gallery::rocks {
namespace {

/// Counters are changed without being read: a write adds +1 or -1, and concurrent writes of one tenant
/// need no common lock.
class add_numbers final : public rocksdb::AssociativeMergeOperator {
public:
    bool Merge(const rocksdb::Slice&, const rocksdb::Slice* before, const rocksdb::Slice& operand,
               std::string* sum, rocksdb::Logger*) const override {
        const auto a = before == nullptr ? std::uint64_t{0} : decode_number(view(*before)).value_or(0);
        *sum = encode_number(a + decode_number(view(operand)).value_or(0));
        return true;
    }
    const char* Name() const override { return "gallery.add"; }
};

rocksdb::CompressionType light_compression() {
    for (const auto type : rocksdb::GetSupportedCompressions())
        if (type == rocksdb::kLZ4Compression) return type;
    return rocksdb::kNoCompression;
}

/// Whether another process has the database open. RocksDB locks the file with fcntl().
bool is_locked(const std::string& folder) {
    const int lock = ::open((folder + "/db/LOCK").c_str(), O_RDONLY | O_CLOEXEC);
    if (lock < 0) return false;
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    const bool held = ::fcntl(lock, F_GETLK, &range) == 0 && range.l_type != F_UNLCK;
    ::close(lock);
    return held;
}

}  // namespace

/// Takes note of failures of RocksDB's background threads and of its writes. Called on their threads.
class engine::background_listener final : public rocksdb::EventListener {
public:
    explicit background_listener(engine& of) : engine_(of) {}

    void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
        const bool out_of_space = status->IsNoSpace() || status->subcode() == rocksdb::Status::kSpaceLimit;
        const auto severity = status->severity();
        if (severity >= rocksdb::Status::kFatalError ||
            (severity >= rocksdb::Status::kHardError && !out_of_space)) {
            engine_.stop_writing(write_state::kind::failed,
                                 "rocksdb: a write to the disk failed: " + status->ToString() +
                                     ". Reading continues. Check the disk, then restart the server.");
            engine_.log_(log_level::error, engine_.writing().reason);
            return;
        }
        if (reason == rocksdb::BackgroundErrorReason::kWriteCallback) engine_.log_failed_ = true;
        engine_.log_(log_level::error, "rocksdb: a background task failed: " + status->ToString() +
                                           ". It will be resumed when there is free space.");
        engine_.failed_.store(true, std::memory_order_relaxed);
        engine_.keeper_->note_error();
    }
    // RocksDB's own recovery refuses to be helped, and looks for space every few seconds only.
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* automatic) override {
        *automatic = false;
    }

private:
    engine& engine_;
};

rocksdb::Options engine::database_options(const options& chosen) {
    rocksdb::Options how;
    how.create_if_missing = true;
    how.create_missing_column_families = true;
    how.max_background_jobs = static_cast<int>(chosen.background_jobs);
    how.max_open_files = static_cast<int>(chosen.max_open_files);
    // Families that are rarely written would otherwise keep old logs.
    how.max_total_wal_size = std::max<std::uint64_t>(chosen.write_buffer_bytes * 4, 64ULL << 20);
    how.bytes_per_sync = 1ULL << 20;
    how.avoid_unnecessary_blocking_io = true;
    how.avoid_flush_during_shutdown = true;  // everything but keep_buffers_filled() is in the log
    how.skip_stats_update_on_db_open = true;
    how.stats_dump_period_sec = 0;
    how.info_log = make_info_log(folder_ + "/db");
    how.listeners.push_back(std::make_shared<background_listener>(*this));
    how.manifest_preallocation_size = 64 * 1024;
    how.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
    // On a full disk there may be no room for the table files that a recovery writes. The log is kept
    // instead.
    how.avoid_flush_during_recovery = reserve_.is_short();
    // Accepts an unfinished last record, which was not acknowledged, and fails on everything else. RocksDB's
    // default would silently drop everything after a damaged place.
    how.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    return how;
}

std::vector<rocksdb::ColumnFamilyDescriptor> engine::families(const options& chosen) const {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = block_cache_;
    table.cache_index_and_filter_blocks = true;
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.block_size = 8 * 1024;
    table.format_version = 5;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
    const std::shared_ptr<rocksdb::TableFactory> tables(rocksdb::NewBlockBasedTableFactory(table));
    const auto compression = light_compression();
    // Shares of the write buffer, in 64ths. Two full buffers may wait for the disk while a third one fills.
    constexpr std::array<std::size_t, family_count> shares = {1, 4, 24, 6, 2, 2, 2};

    std::vector<rocksdb::ColumnFamilyDescriptor> made;
    for (std::size_t i = 0; i < family_count; ++i) {
        rocksdb::ColumnFamilyOptions how;
        how.table_factory = tables;
        how.compression = compression;
        how.write_buffer_size = chosen.write_buffer_bytes / 64 * shares[i];
        how.max_write_buffer_number = 2;
        switch (static_cast<family>(i)) {
            case family::meta:
                how.merge_operator = std::make_shared<add_numbers>();
                how.max_successive_merges = 32;
                break;
            case family::bodies:
                how.compression = rocksdb::kNoCompression;  // pictures are compressed already
                how.enable_blob_files = true;
                how.min_blob_size = 1024;
                how.enable_blob_garbage_collection = false;  // until there is some: steer_blob_collection()
                how.blob_garbage_collection_age_cutoff = 0.5;
                how.blob_garbage_collection_force_threshold = 0.5;
                // Reading ahead would keep a buffer as large as the largest picture for each file that a
                // compaction meets, until it ends.
                how.blob_compaction_readahead_size = 0;
                break;
            default:
                break;
        }
        made.emplace_back(family_names[i], how);
    }
    return made;
}

result<revision> engine::readable_revision(const rocksdb::Options& how, const options& chosen) const {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    auto status = rocksdb::DB::OpenForReadOnly(how, folder_ + "/db", families(chosen), &handles, &opened);
    if (!status.ok()) return to_error(status, "opening " + folder_);
    const std::unique_ptr<rocksdb::DB> db(opened);
    revision last = 0;
    {
        const std::unique_ptr<rocksdb::Iterator> at(
            db->NewIterator(rocksdb::ReadOptions(), handles[static_cast<std::size_t>(family::changes)]));
        at->SeekToLast();
        if (at->Valid() && at->key().size() == 8) last = read_big_endian(view(at->key()));
        status = at->status();
    }
    for (auto* handle : handles)
        db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    if (!status.ok()) return to_error(status, "reading the change feed of " + folder_);
    return last;
}

result<void> engine::open_database(const options& chosen) {
    auto how = database_options(chosen);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    auto status = rocksdb::DB::Open(how, folder_ + "/db", families(chosen), &handles, &opened);
    const auto acknowledged = mark_.read().value_or(0);
    if (status.IsCorruption()) {
        // After a power failure the end of the log may be damaged out of order. Records after the damage
        // matter only if they were acknowledged.
        how.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
        const auto readable = readable_revision(how, chosen);
        if (!readable) return to_error(status, "opening " + folder_);
        if (*readable < acknowledged && !chosen.accept_lost_writes)
            return error{
                errc::corrupt,
                "The write-ahead log of the store in " + folder_ + " is damaged (" + status.ToString() +
                    "): writes up to revision " + std::to_string(acknowledged) +
                    " were acknowledged, but only those up to " + std::to_string(*readable) +
                    " can be read. Restore a backup, or set the rocksdb option accept_lost_writes to "
                    "true for one start to open the store without them. Nothing was changed."};
        log_(log_level::warning,
             "rocksdb: the end of the write-ahead log was damaged. Only writes that were not acknowledged "
             "were discarded.");
        status = rocksdb::DB::Open(how, folder_ + "/db", families(chosen), &handles, &opened);
    }
    if (!status.ok()) {
        const std::string said = status.ToString();
        if (said.find("While lock file") != std::string::npos ||
            said.find("lock hold by current process") != std::string::npos)
            return error{errc::unavailable, "The store in " + folder_ + " is open in another process (" +
                                                said + "). Stop that process, or set another STORAGE_PATH."};
        if (status.IsInvalidArgument())
            return error{errc::corrupt, "The folder " + folder_ +
                                            " contains a database that this version cannot open: " + said +
                                            "."};
        if (status.IsIOError() || status.IsNoSpace()) return open_read_only(chosen, said);
        return to_error(status, "opening " + folder_);
    }
    db_.reset(opened);
    std::copy(handles.begin(), handles.end(), handles_.begin());
    return {};
}

result<void> engine::open_read_only(const options& chosen, const std::string& why) {
    const error refusal{errc::io_error, "rocksdb: opening " + folder_ + ": " + why + ". Check the disk."};
    if (is_locked(folder_)) return refusal;
    auto how = database_options(chosen);
    how.create_if_missing = how.create_missing_column_families = false;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    const auto status =
        rocksdb::DB::OpenForReadOnly(how, folder_ + "/db", families(chosen), &handles, &opened);
    if (!status.ok()) return refusal;
    db_.reset(opened);
    std::copy(handles.begin(), handles.end(), handles_.begin());
    stop_writing(write_state::kind::read_only, "The store in " + folder_ + " is not writable (" + why +
                                                   "). It is opened read-only. Correct the cause, for "
                                                   "instance free space, then restart the server.");
    log_(log_level::error, "rocksdb: " + writing().reason);
    return {};
}

result<void> engine::check_format() {
    const auto found = number(format_key);
    if (!found) return found.error();
    if (*found > format_version)
        return error{errc::unavailable,
                     "The store in " + folder_ + " has format " + std::to_string(*found) +
                         ", and this plugin reads formats up to " + std::to_string(format_version) +
                         ". Use the version of the gallery that wrote it, or a later one."};
    return upgrade(*this, *found, log_);
}

result<std::unique_ptr<engine>> engine::open(const std::string& folder, const options& chosen,
                                             log_function log) {
    std::unique_ptr<engine> made(new engine);
    made->folder_ = folder;
    made->log_ = std::move(log);
    made->body_buffer_limit_ = chosen.write_buffer_bytes / 4 * 3;
    rocksdb::LRUCacheOptions cache;
    cache.capacity = chosen.block_cache_bytes;
    // Small shards would push out what had room in the whole.
    cache.num_shard_bits = chosen.block_cache_bytes >= (32ULL << 20) ? 3 : 0;
    cache.high_pri_pool_ratio = 0.5;
    made->block_cache_ = rocksdb::NewLRUCache(cache);

    std::error_code failure;
    std::filesystem::create_directories(folder + "/db", failure);
    if (failure)
        return error{errc::io_error,
                     "Cannot create the folder " + folder + "/db: " + failure.message() + "."};
    made->keeper_ = std::make_unique<space_keeper>(*made);
    made->reserve_.open(folder + "/reserve", chosen.reserve_bytes);
    if (made->reserve_.is_short()) made->reserve_.release(reserve_share::all);
    const auto marked = made->mark_.open(folder + "/acknowledged");
    auto opened = marked ? made->open_database(chosen) : made->open_read_only(chosen, marked.error().message);
    if (!opened) return opened.error();
    if (auto checked = made->check_format(); !checked) return checked.error();
    if (made->takes_writes_) made->keep_buffers_filled();
    made->reserve_.complete();
    made->keeper_->start();
    return made;
}

engine::~engine() {
    if (!db_) return;
    keeper_->stop();
    rocksdb::CancelAllBackgroundWork(db_.get(), true);
    keeper_->join();
    for (auto* handle : handles_)
        if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    db_->Close().PermitUncheckedError();
    db_.reset();
    mark_.synchronise();
}

}  // namespace gallery::rocks
