// SPDX-License-Identifier: Apache-2.0
/// The storage engine on RocksDB. See etc/doc/storage_plugins.md for the layout and gallery/storage.hpp for
/// the contract.
///
/// Threads: coroutines run on the callers' I/O threads and answer there if the answer is in memory. Reads
/// from the disk run on the readers' pool, writes on the writers' pool, each under the locks of the names
/// that it uses (record key, image id, public key, kept version, documents).
#pragma once

#include "body_files.hpp"
#include "codec.hpp"
#include "commit_order.hpp"
#include "engine.hpp"
#include "lists.hpp"
#include "name_locks.hpp"
#include "options.hpp"
#include "page_ranks.hpp"
#include "search_index.hpp"

#include <gallery/kit/body_file.hpp>
#include <gallery/kit/body_name.hpp>
#include <gallery/kit/byte_gate.hpp>
#include <gallery/kit/byte_lru.hpp>
#include <gallery/kit/guarded.hpp>
#include <gallery/kit/open_files.hpp>
#include <gallery/kit/single_store.hpp>
#include <gallery/kit/usage_book.hpp>
#include <gallery/mutex.hpp>
#include <gallery/storage.hpp>

#include <rocksdb/write_batch.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::rocks {

/// Calls @p work and turns an exception into an error.
template <class Work>
std::invoke_result_t<Work&> guarded(Work&& work) noexcept {
    return kit::guarded("rocksdb", std::forward<Work>(work));
}

class store final : public kit::single_store {
public:
    /// See plugin_descriptor::create.
    static result<std::unique_ptr<storage_engine>> open(const plugin_context& context);

    /// The state of the store at its opening.
    struct found_state {
        revision used = 0;
        revision newest = 0;
        revision trimmed = 0;
        std::uint64_t changes = 0;
        std::uint64_t records = 0;
        std::uint64_t kept_versions = 0;
    };
    store(std::unique_ptr<engine> opened, const options& chosen, log_function log, const found_state& found);
    ~store() override;

    task<result<check_report>> check() override;
    task<result<rewrite_report>> rewrite_bodies(std::function<void(std::uint64_t)> progress) override;
    [[nodiscard]] write_state writing() const override;
    void change_options(const std::map<std::string, std::string>& options) override;
    [[nodiscard]] std::vector<statistic> statistics() const override;

    // ---- images ----
    GALLERY_OVERRIDE_IMAGE_STORE;
    task<result<checked_page<record_ptr>>> scan_readable(std::string cursor, std::size_t limit) override;
    task<result<checked_page<kept_version>>> kept_readable(std::string cursor, std::size_t limit) override;

    // ---- documents ----
    GALLERY_OVERRIDE_DOCUMENT_STORE;

    // ---- feed ----
    GALLERY_OVERRIDE_CHANGE_FEED;

private:
    result<void> store_floors(revision used);

    // ---- reading (store_read.cpp) ----
    using found_record = std::optional<result<record_ptr>>;  // nothing: the disk has to be asked
    found_record find_here(std::string_view record_key, engine::reach how);
    found_record find_through(const std::string& lookup_key, engine::reach how);
    result<std::vector<record_ptr>> find_content_now(tenant_id tenant, const sha256_digest& etag) const;
    result<body> load_body(const image_record& record, representation which);
    /// From the disk; its size and hash are those of the record. What is read to be served is kept in the
    /// caches.
    result<body> read_verified(const image_record& record, representation which, kit::read_purpose why);
    /// Nothing if the body is not there.
    using found_body = std::optional<result<body>>;
    found_body read_from_file(const image_record& record, representation which, kit::read_purpose why);
    found_body read_from_table(const image_record& record, representation which, kit::read_purpose why);
    /// Of this size, a body is a file of its own.
    [[nodiscard]] bool is_file_size(std::uint64_t size) const noexcept {
        return options_.body_file_bytes != 0 && size >= options_.body_file_bytes;
    }
    /// A value as bytes that may outlive the store.
    [[nodiscard]] bytes owned(rocksdb::PinnableSlice&& value) const;
    error missing_body(const image_record& record, representation which) const;
    result<scan_page<record_ptr>> scan_now(const std::optional<tenant_id>& tenant, const std::string& cursor,
                                           std::size_t limit) const;
    result<checked_page<record_ptr>> scan_readable_now(const std::string& cursor, std::size_t limit) const;
    /// Continues @p found behind the key @p last, at a place where the records cannot be passed in order.
    result<void> add_single_records(const std::string& last, std::size_t limit,
                                    checked_page<record_ptr>& found) const;
    result<std::vector<std::string>> record_keys_behind(const std::string& last, std::size_t count) const;

    // ---- kept versions (store_kept.cpp) ----
    result<std::optional<kept_version>> load_kept(const std::string& key, engine::reach how,
                                                  const snapshot_ptr& at = nullptr) const;
    /// @p unreadable: null if a version that cannot be read is an error.
    result<scan_page<kept_version>> kept_now(const std::string& prefix, kept_order order,
                                             const std::string& cursor, std::size_t limit,
                                             std::vector<std::string>* unreadable) const;
    task<result<scan_page<kept_version>>> kept_through(std::string prefix, kept_order order,
                                                       std::string cursor, std::size_t limit);
    result<write_outcome> save_kept_now(image_record& record, const body& original, const body& preview,
                                        std::int64_t kept_time, bool is_erased);
    result<write_outcome> drop_kept_now(image_id id, revision content_rev);

    // ---- writing (store_write.cpp) ----
    class open_write;  // a revision under way
    result<write_outcome> save_now(image_record& record, const body& original, const body& preview,
                                   const write_rules& rules);
    result<write_outcome> update_now(const image_record& changed, precondition condition);
    result<write_outcome> erase_now(tenant_id tenant, const std::string& key, const write_rules& rules);
    result<record_ptr> current(std::string_view record_key) const;
    result<std::optional<std::string>> owner_of(const std::string& lookup_key) const;
    /// As engine::commit(), for a batch that refers to these files.
    result<void> commit(rocksdb::WriteBatch& batch, reserve_share share,
                        std::vector<body_files::draft>& added);
    struct image_write;
    result<void> commit_image(open_write& write, const image_write& what);
    /// A body to be stored: bytes in memory or a file.
    struct staged_body {
        bytes memory;
        std::optional<body_files::draft> file;
    };
    struct staged_bodies {
        staged_body original;
        staged_body preview;
        [[nodiscard]] std::size_t in_memory() const noexcept {
            return original.memory.size() + preview.memory.size();
        }
    };
    result<staged_body> stage_body(const image_id& id, representation which, const body& content);
    result<staged_bodies> stage_bodies(const image_record& record, const body& original, const body& preview);
    void put_body(open_write& write, const image_record& record, representation which, staged_body&& content);
    void put_bodies(open_write& write, const image_record& record, staged_bodies&& content);
    result<void> delete_bodies(open_write& write, const image_record& record);
    void put_kept(rocksdb::WriteBatch& batch, const kept_version& version) const;
    void put_change(rocksdb::WriteBatch& batch, const change& event) const;
    void count_usage(rocksdb::WriteBatch& batch, tenant_id tenant,
                     const kit::usage_book::difference& by) const;
    void invalidate(const image_record& record);
    void invalidate_bodies(const image_record& record);
    void changed(bool feed_grew);
    void trim_changes();

    // ---- moving bodies (store_rewrite.cpp) ----
    struct rewriting;
    using page_function = std::function<std::optional<error>(std::vector<record_ptr>&&)>;
    result<rewrite_report> rewrite_now(const std::function<void(std::uint64_t)>& progress);
    std::optional<error> rewrite_records(rewriting& shared, const page_function& next_page);
    std::optional<error> rewrite_kept(rewriting& shared, const page_function& next_page);
    static void note_unreadable(rewriting& shared, const std::vector<std::string>& texts);
    std::optional<error> rewrite_page(rewriting& shared, const std::vector<record_ptr>& page);
    result<rewrite_report> move_bodies(const image_record& record);

    // ---- documents and changes (store_documents.cpp, store_changes.cpp) ----
    std::optional<result<document>> find_document_here(const std::string& key, engine::reach how) const;
    result<documents_outcome> write_now(std::vector<document_write>& parts);
    result<change_batch> changes_now(revision after, std::size_t limit) const;

    /// Bytes whose hash was seen to be right.
    struct verified_body {
        bytes memory;
        sha256_digest etag{};
    };

    const options options_;  // as at the opening
    const log_function log_;
    std::unique_ptr<engine> engine_;
    /// Records under 'r' and their key, 'i' and their id, 'p' and their public key.
    kit::byte_lru<std::string, record_ptr, text_hash> record_cache_;
    kit::byte_lru<kit::body_name, std::shared_ptr<const verified_body>, kit::body_name_hash> body_cache_;
    kit::open_files<kit::body_name, kit::body_name_hash> open_files_;
    body_files files_;  // closed before the database
    commit_order order_;
    page_ranks ranks_;
    search_index searches_;
    list_reader lists_;
    name_locks names_;
    name_locks loading_;  // so that one body is read once, however many ask for it
    /// Judges limits, writes in progress included. What usage() answers is read from the database.
    kit::usage_book usage_;
    std::function<void()> notify_;
    std::atomic<revision> trimmed_;  // the newest change that is no longer kept
    std::atomic<std::uint64_t> changes_;
    std::atomic<std::uint64_t> records_;
    std::atomic<std::uint64_t> kept_versions_;
    mutex trim_mutex_;  ///< guards no member: one trimming of the feed at a time
    kit::byte_gate gate_;
    asio::thread_pool readers_;
    asio::thread_pool writers_;
};

/// One write from its first revision to its end. Ends as failed where committed() was not called.
class store::open_write {
public:
    explicit open_write(store& in, std::size_t revisions = 1, std::size_t reserve = 1024)
        : store_(in), ticket_(in.order_.begin(revisions)), batch_(reserve) {
        if (ticket_.new_floor)
            batch_.Put(in.engine_->handle(family::meta), slice(revision_floor_key),
                       encode_number(*ticket_.new_floor));
    }
    open_write(const open_write&) = delete;
    open_write& operator=(const open_write&) = delete;
    ~open_write() {
        if (!done_) store_.changed(store_.order_.finish(ticket_.rev, ticket_.count, false));
    }

    /// The first one.
    [[nodiscard]] revision rev() const noexcept { return ticket_.rev; }
    rocksdb::WriteBatch& batch() noexcept { return batch_; }
    /// Files to which the batch refers, and those that it removes.
    void add(body_files::draft file) { added_.push_back(std::move(file)); }
    void drop(const body_file& file) { dropped_.push_back(file); }
    /// As engine::commit().
    result<void> commit(reserve_share share) { return store_.commit(batch_, share, added_); }
    /// After the commit and after the caches were invalidated.
    void committed() {
        done_ = true;
        store_.changes_.fetch_add(ticket_.count, std::memory_order_relaxed);
        store_.changed(store_.order_.finish(ticket_.rev, ticket_.count, true));
        store_.files_.remove(dropped_);
        store_.trim_changes();
    }

private:
    store& store_;
    commit_order::ticket ticket_;
    rocksdb::WriteBatch batch_;
    std::vector<body_files::draft> added_;
    std::vector<body_file> dropped_;
    bool done_ = false;
};

/// A body in memory; a body in a file is read.
result<bytes> in_memory(const body& given);

}  // namespace gallery::rocks
