/// The image store on RocksDB. See etc/doc/storage_plugins.md for the layout and gallery/storage.hpp for
/// what is promised.
///
/// Threads: coroutines run on the callers' I/O threads and answer there what is in memory. What reads from
/// the disk runs on the readers' pool, writes on the writers' pool, each under the locks of the names that
/// it touches (record key, image id, public key).
#pragma once

#include "byte_lru.hpp"
#include "codec.hpp"
#include "commit_order.hpp"
#include "engine.hpp"
#include "lists.hpp"
#include "options.hpp"
#include "page_ranks.hpp"
#include "work.hpp"

#include <gallery/storage.hpp>

#include <rocksdb/write_batch.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::rocks {

class store final : public image_store {
public:
    /// See plugin_descriptor::create.
    static result<std::unique_ptr<image_store>> open(const plugin_context& context);
    store(std::unique_ptr<engine> opened, const options& chosen, log_function log, revision used,
          revision newest, revision trimmed, std::uint64_t changes, std::uint64_t records);
    ~store() override;

    task<result<record_ptr>> find(tenant_id tenant, std::string key) override;
    task<result<record_ptr>> find_by_id(image_id id) override;
    task<result<record_ptr>> find_by_public_key(std::string public_key) override;
    task<result<body>> read(record_ptr record, representation which) override;
    std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key) override;
    std::optional<record_ptr> find_by_public_key_now(std::string_view public_key) override;
    std::optional<body> read_now(const image_record& record, representation which) override;
    task<result<image_page>> list(image_query query) override;
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override;
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     precondition condition) override;
    task<result<write_outcome>> update(image_record record, precondition condition) override;
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, precondition condition) override;
    task<result<document>> find_document(std::string kind, std::string id) override;
    task<result<scan_page<document>>> scan_documents(std::string kind, std::string cursor,
                                                     std::size_t limit) override;
    task<result<write_outcome>> save_document(document doc, precondition condition) override;
    task<result<write_outcome>> erase_document(std::string kind, std::string id,
                                               precondition condition) override;
    task<result<change_batch>> changes(revision after, std::size_t limit) override;
    task<result<revision>> last_change() override;
    void on_change(std::function<void()> notify) override;
    task<result<check_report>> check() override;
    [[nodiscard]] write_state writing() const override;
    [[nodiscard]] std::vector<std::pair<std::string, double>> statistics() const override;

private:
    // ---- reading (store_read.cpp) ----
    using found_record = std::optional<result<record_ptr>>;  // nothing: the disk has to be asked
    found_record find_here(std::string_view record_key, engine::reach how);
    found_record find_through(const std::string& lookup_key, engine::reach how);
    result<body> load_body(const image_record& record, representation which);
    result<scan_page<record_ptr>> scan_now(const std::optional<tenant_id>& tenant, const std::string& cursor,
                                           std::size_t limit) const;

    // ---- writing (store_write.cpp) ----
    class open_write;  // a revision under way
    result<write_outcome> save_now(image_record& record, const body& original, const body& preview,
                                   precondition condition);
    result<write_outcome> update_now(const image_record& changed, precondition condition);
    result<write_outcome> erase_now(tenant_id tenant, const std::string& key, precondition condition);
    result<record_ptr> current(std::string_view record_key) const;
    result<std::optional<std::string>> owner_of(const std::string& lookup_key) const;
    result<void> commit_image(open_write& write, const record_ptr& before, const record_ptr& after,
                              change::kind what);
    void invalidate(const image_record& record, bool bytes_too);
    void changed(bool feed_grew);
    void trim_changes();

    // ---- documents and changes (store_documents.cpp, store_changes.cpp) ----
    std::optional<result<document>> find_document_here(const std::string& key, engine::reach how) const;
    result<write_outcome> save_document_now(document& doc, precondition condition);
    result<write_outcome> erase_document_now(const std::string& kind, const std::string& id,
                                             precondition condition);
    result<change_batch> changes_now(revision after, std::size_t limit) const;

    struct body_name {
        image_id id;
        revision content_rev = 0;
        representation which = representation::original;
        friend bool operator==(const body_name&, const body_name&) = default;
    };
    struct body_hash {
        std::size_t operator()(const body_name& name) const noexcept {
            return std::hash<image_id>{}(name.id) ^
                   (name.content_rev * 2 + static_cast<std::size_t>(name.which)) * 0x9E3779B97F4A7C15ULL;
        }
    };
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    /// Bytes whose hash was seen to be right.
    struct verified_body {
        bytes memory;
        sha256_digest etag{};
    };

    const options options_;
    const log_function log_;
    std::unique_ptr<engine> engine_;
    /// Records under 'r' and their key, 'i' and their id, 'p' and their public key.
    byte_lru<std::string, record_ptr, text_hash> record_cache_;
    byte_lru<body_name, std::shared_ptr<const verified_body>, body_hash> body_cache_;
    commit_order order_;
    page_ranks ranks_;
    list_reader lists_;
    name_locks names_;
    name_locks loading_;  // so that one body is read once, however many ask for it
    std::function<void()> notify_;
    std::atomic<revision> trimmed_;  // the newest change that is no longer kept
    std::atomic<std::uint64_t> changes_;
    std::atomic<std::uint64_t> records_;
    std::mutex trim_mutex_;
    asio::thread_pool readers_;
    asio::thread_pool writers_;
    write_gate gate_;
};

/// One write from its revision to its end. Ends as failed where committed() was not called.
class store::open_write {
public:
    explicit open_write(store& in, std::size_t reserve = 1024)
        : store_(in), ticket_(in.order_.begin()), batch_(reserve) {
        if (ticket_.new_floor)
            batch_.Put(in.engine_->handle(family::meta), slice(revision_floor_key),
                       encode_number(*ticket_.new_floor));
    }
    open_write(const open_write&) = delete;
    open_write& operator=(const open_write&) = delete;
    ~open_write() {
        if (!done_) store_.changed(store_.order_.finish(ticket_.rev, false));
    }

    [[nodiscard]] revision rev() const noexcept { return ticket_.rev; }
    rocksdb::WriteBatch& batch() noexcept { return batch_; }
    /// After the commit and after the caches were told.
    void committed() {
        done_ = true;
        store_.changes_.fetch_add(1, std::memory_order_relaxed);
        store_.changed(store_.order_.finish(ticket_.rev, true));
        store_.trim_changes();
    }

private:
    store& store_;
    commit_order::ticket ticket_;
    rocksdb::WriteBatch batch_;
    bool done_ = false;
};

/// Kind and id of a document as the contract has them.
bool is_document_name(std::string_view text, std::size_t most) noexcept;

}  // namespace gallery::rocks
