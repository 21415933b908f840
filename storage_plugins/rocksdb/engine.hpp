// SPDX-License-Identifier: Apache-2.0
/// RocksDB with this plugin's column families and limits, and with errors of this project.
#pragma once

#include "disk_reserve.hpp"
#include "keys.hpp"
#include "mark.hpp"
#include "options.hpp"
#include "space_keeper.hpp"

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>
#include <gallery/plugin.hpp>
#include <gallery/storage.hpp>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::rocks {

/// The failure of @p doing ("reading the image logo.png") as a gallery::error. Precondition: not ok().
error to_error(const rocksdb::Status& status, std::string_view doing);
/// Whether a failed read is about what is stored, so that other reads may succeed.
inline bool is_damage(const error& e) noexcept {
    return e.code == errc::corrupt || e.code == errc::io_error;
}

inline rocksdb::Slice slice(std::string_view text) noexcept {
    return {text.data(), text.size()};
}
inline std::string_view view(const rocksdb::Slice& text) noexcept {
    return {text.data(), text.size()};
}

/// Freezes the state for reads; released with the last reference.
using snapshot_ptr = std::shared_ptr<const rocksdb::Snapshot>;

class engine {
public:
    /// Opens or creates the database in @p folder. Errors: see plugin_descriptor::create.
    static result<std::unique_ptr<engine>> open(const std::string& folder, const options& chosen,
                                                log_function log);
    ~engine();

    [[nodiscard]] rocksdb::DB& db() const noexcept { return *db_; }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(family which) const noexcept {
        return handles_[static_cast<std::size_t>(which)];
    }

    enum class reach : std::uint8_t {
        memory,      ///< memory only: Status Incomplete if the disk would have to be read
        disk,        ///< stores the blocks that are read in the block cache
        disk_aside,  ///< does not fill the caches: scans, checks, bodies
    };
    [[nodiscard]] static rocksdb::ReadOptions read_options(reach how, const snapshot_ptr& at = nullptr);

    rocksdb::Status get(family which, std::string_view key, rocksdb::PinnableSlice& value, reach how,
                        const snapshot_ptr& at = nullptr) const;

    /// Keys from @p from on and below @p below.
    struct range {
        std::string from;
        std::string below;
    };
    /// An iterator with its bounds, which RocksDB only refers to.
    class cursor {
    public:
        cursor(const engine& from, family which, range bounds, reach how, const snapshot_ptr& at);
        rocksdb::Iterator* operator->() const noexcept { return iterator_.get(); }
        [[nodiscard]] std::string_view key() const { return view(iterator_->key()); }
        [[nodiscard]] std::string_view value() const { return view(iterator_->value()); }
        [[nodiscard]] const range& bounds() const noexcept { return *bounds_; }

    private:
        struct slices {
            rocksdb::Slice lower;
            rocksdb::Slice upper;
        };
        std::unique_ptr<range> bounds_;
        std::unique_ptr<slices> slices_;
        snapshot_ptr at_;
        std::unique_ptr<rocksdb::Iterator> iterator_;
    };
    [[nodiscard]] cursor iterate(family which, range bounds, reach how,
                                 const snapshot_ptr& at = nullptr) const;
    /// Everything that begins with @p prefix.
    [[nodiscard]] cursor iterate_prefix(family which, std::string prefix, reach how,
                                        const snapshot_ptr& at = nullptr) const;

    [[nodiscard]] snapshot_ptr snapshot() const;

    /// A number of the meta family; 0 if it is missing.
    result<std::uint64_t> number(std::string_view key, const snapshot_ptr& at = nullptr) const;

    /// Writes and synchronises. On a full disk it uses the reserve as far as @p share allows. After a full
    /// disk it first resumes RocksDB. Blocks. Errors: no_space, read_only (nothing was changed), io_error
    /// (unknown outcome).
    result<void> commit(rocksdb::WriteBatch& batch, reserve_share share);
    /// The first part of commit(): why a write of so many bytes cannot start. Nothing was written.
    std::optional<error> refuse(std::uint64_t size, reserve_share share);
    /// The second part, for a batch that refuse() has not refused.
    result<void> commit_admitted(rocksdb::WriteBatch& batch, reserve_share share);
    /// Why a file of so many bytes cannot be written beside the database.
    std::optional<error> refuse_file(std::uint64_t size);
    /// As commit, but durable only with the next synchronised write. For upkeep.
    rocksdb::Status write_lazily(rocksdb::WriteBatch& batch);

    /// Resumes writing after RocksDB ran out of space. True if it succeeds.
    bool resume();
    /// Buffers a record that is there already, after all buffers were written. RocksDB 7.8 replaces a log in
    /// which a write failed only if something is buffered. Otherwise the next write would end the process:
    /// Debian's library contains assertions.
    bool keep_buffers_filled();

    /// See image_store::writing().
    [[nodiscard]] write_state writing() const;
    /// Stops writing until the store is opened again, and logs it. @p what: the failed operation.
    void stop_after(const std::string& what);

    [[nodiscard]] acknowledged_mark& mark() noexcept { return mark_; }
    [[nodiscard]] disk_reserve& reserve() noexcept { return reserve_; }
    [[nodiscard]] const disk_reserve& reserve() const noexcept { return reserve_; }
    [[nodiscard]] const rocksdb::Cache& block_cache() const noexcept { return *block_cache_; }
    void resize_block_cache(std::uint64_t bytes) { block_cache_->SetCapacity(bytes); }
    /// For values that are used longer than the engine.
    [[nodiscard]] const std::shared_ptr<rocksdb::Cache>& shared_block_cache() const noexcept {
        return block_cache_;
    }
    /// Rewrites blob files with garbage. Blocks, and may take long; a failure leaves them as they are.
    void collect_garbage();
    /// Bytes of committed bodies that are not yet in blob files.
    [[nodiscard]] std::uint64_t unflushed_body_bytes() const;

private:
    engine() = default;

    rocksdb::Options database_options(const options& chosen);
    std::vector<rocksdb::ColumnFamilyDescriptor> families(const options& chosen) const;
    result<void> open_database(const options& chosen);
    result<void> open_read_only(const options& chosen, const std::string& why);
    result<revision> readable_revision(const rocksdb::Options& how, const options& chosen) const;
    result<void> check_format();
    void make_room(std::uint64_t size);
    void steer_blob_collection(std::uint64_t written);
    rocksdb::Status write(rocksdb::WriteBatch& batch);
    [[nodiscard]] bool log_has_room(std::uint64_t size) const;
    [[nodiscard]] bool has_buffered_writes() const;
    [[nodiscard]] bool has_room(std::uint64_t size, reserve_share share);
    std::optional<error> refuse_stopped() const;
    error disk_is_full();
    void stop_writing(write_state::kind how, std::string why);
    class background_listener;

    std::string folder_;
    log_function log_;
    disk_reserve reserve_;
    mutable mutex state_mutex_;
    write_state state_ GALLERY_GUARDED_BY(state_mutex_);
    std::atomic<bool> takes_writes_{true};
    std::uint64_t body_buffer_limit_ = 0;
    std::shared_ptr<rocksdb::Cache> block_cache_;
    std::unique_ptr<rocksdb::DB> db_;
    std::array<rocksdb::ColumnFamilyHandle*, family_count> handles_{};
    acknowledged_mark mark_;
    std::atomic<bool> failed_{false};
    std::atomic<bool> log_failed_{false};  ///< the disk was full for a write to the write-ahead log
    mutex resume_mutex_;                   ///< guards no member: one resumption at a time
    std::unique_ptr<space_keeper> keeper_;
    mutex room_mutex_;  ///< guards no member: one flush at a time to make room for a large body
    std::atomic<std::uint64_t> written_since_check_{0};  // bytes
    mutex blob_collection_mutex_;
    bool collects_blobs_ GALLERY_GUARDED_BY(blob_collection_mutex_) = false;
};

}  // namespace gallery::rocks
