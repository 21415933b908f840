/// The store as the server sees it. etc/doc/storage_plugins.md describes the tree and why a crash leaves it
/// whole.
#pragma once

#include "body_cache.hpp"
#include "change_log.hpp"
#include "claims.hpp"
#include "committer.hpp"
#include "files.hpp"
#include "index/catalog.hpp"
#include "index/documents.hpp"
#include "index/feed.hpp"
#include "lanes.hpp"
#include "recovery.hpp"
#include "reserve.hpp"
#include "revisions.hpp"
#include "write_stop.hpp"

#include <gallery/storage.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace gallery::file_store {

struct store_options {
    std::size_t cache_bytes = 64 << 20;
    std::size_t open_files = 512;
    std::size_t threads = 16;
    bool may_exchange = true;
};

class filesystem_store final : public image_store {
public:
    /// Blocks while it reads the tree.
    static result<std::unique_ptr<image_store>> open(const std::string& path, const store_options& options,
                                                     const log_function& log);
    ~filesystem_store() override;

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

    /// Writes may go on meanwhile.
    task<result<check_report>> check() override;
    [[nodiscard]] write_state writing() const override;
    [[nodiscard]] std::vector<std::pair<std::string, double>> statistics() const override;

private:
    filesystem_store(std::string path, const store_options& options, log_function log);

    // Opening.
    result<> lock_and_lay_out();
    result<> recover();
    result<> sync_commits(const std::vector<change>& found);

    // Writing: each stage_ runs on the pool, does all but the commit, and leaves things as they were where
    // it fails; undo takes it back after a failed commit, by renames, which need no space.
    struct staged {
        committer::ticket number;
        record_ptr record;
        std::string remains;  ///< what to remove after the commit; empty for none
        undoing undo;
        bool in_two_steps = false;  ///< the remains were renamed before the new folder was
    };
    result<staged> stage_save(image_record record, const body& original, const body& preview,
                              const std::string& folder, bool replaces);
    result<> write_folder(const std::string& folder, const image_record& record, const body& original,
                          const body& preview);
    result<> make_image_folder(const std::string& tenant, const std::string& path);
    std::string rename_replaced(const std::string& path);
    result<staged> stage_update(const image_record& current, const image_record& wanted,
                                const std::string& folder);
    result<staged> stage_erase(const image_record& current, const std::string& folder);
    result<> ensure_tenant(const std::string& tenant);
    /// For a folder that somebody removed.
    result<> ensure_tenant_again(const std::string& tenant);

    result<staged> stage_document(document doc);
    result<staged> stage_document_erasure(const document& doc);

    /// Writes a small file, on a full disk into the reserve; sets remains and undo of @p ready. not_found
    /// where the folder is not there.
    result<> stage_file(const std::string& folder, const std::string& name, std::string_view text,
                        reserve::part part, staged& ready);
    /// Calls @p step, again after space was given back for it.
    template <class Step>
    auto with_reserve(Step step) -> decltype(step());
    /// Renames what is erased; sets remains and undo of @p ready. Nothing to do where somebody removed it.
    result<> stage_removal(const std::string& folder, const std::string& path, const std::string& remains,
                           staged& ready);

    /// What a failed write answers; stops writing where a synchronisation failed.
    error answer_of(error why);
    /// Runs @p undo on the pool, or has the next write run it. What the failed write answers.
    task<error> take_back(error why, undoing undo);
    error after_failure(error why, undoing undo);
    void remove_later(std::string path);

    // Reading.
    result<body> load(const image_record& record, bool preview, const std::string& folder);

    // Checking.
    std::vector<std::string> differences(const image_record& record);
    std::optional<std::string> document_difference(const document& doc);
    result<std::vector<std::string>> unknown_folders();
    result<std::vector<std::string>> set_aside_entries();

    const std::string path_;
    const store_options options_;
    const log_function log_function_;
    unique_fd root_;
    unique_fd lock_;
    std::atomic<bool> can_exchange_;

    store_index::catalog catalog_;
    store_index::documents documents_;
    store_index::feed feed_;
    std::unique_ptr<reserve> reserve_;
    write_stop stop_;
    std::unique_ptr<change_log> log_;
    std::unique_ptr<revisions> numbers_;
    std::unique_ptr<committer> committer_;
    lanes lanes_;
    claims claims_;
    body_cache cache_;
    std::mutex tenants_mutex_;
    std::set<std::string> tenants_;  ///< whose folders are there and durable; kinds of documents, too
    asio::thread_pool pool_;
};

template <class Step>
auto filesystem_store::with_reserve(Step step) -> decltype(step()) {
    constexpr int attempts = 4;
    auto done = step();
    for (int i = 1; i < attempts && !done && done.error().code == errc::no_space; ++i) {
        if (!reserve_->release_one()) break;
        done = step();
    }
    return done;
}

}  // namespace gallery::file_store
