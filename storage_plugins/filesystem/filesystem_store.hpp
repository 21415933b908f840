// SPDX-License-Identifier: Apache-2.0
/// The store that the server uses. etc/doc/storage_plugins.md describes the tree and its recovery after a
/// crash.
#pragma once

#include "body_cache.hpp"
#include "change_log.hpp"
#include "claims.hpp"
#include "committer.hpp"
#include "files.hpp"
#include "journal.hpp"
#include "recovery.hpp"
#include "reserve.hpp"
#include "revisions.hpp"
#include "write_stop.hpp"

#include <gallery/kit/body_file.hpp>
#include <gallery/kit/catalog.hpp>
#include <gallery/kit/documents.hpp>
#include <gallery/kit/feed.hpp>
#include <gallery/kit/lanes.hpp>
#include <gallery/kit/single_store.hpp>
#include <gallery/kit/usage_book.hpp>
#include <gallery/mutex.hpp>
#include <gallery/storage.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gallery::file_store {

struct store_options {
    std::size_t cache_bytes = 64 << 20;
    std::size_t open_files = 512;
    std::size_t threads = 16;
    bool may_exchange = true;
};

class filesystem_store final : public kit::single_store {
public:
    /// Blocks while it reads the tree.
    static result<std::unique_ptr<storage_engine>> open(const std::string& path, const store_options& options,
                                                        const log_function& log);
    ~filesystem_store() override;

    GALLERY_OVERRIDE_IMAGE_STORE;

    GALLERY_OVERRIDE_DOCUMENT_STORE;

    GALLERY_OVERRIDE_CHANGE_FEED;

    /// Writes may go on meanwhile.
    task<result<check_report>> check() override;
    [[nodiscard]] write_state writing() const override;
    void change_options(const std::map<std::string, std::string>& options) override;
    [[nodiscard]] std::vector<statistic> statistics() const override;

private:
    filesystem_store(std::string path, const store_options& options, log_function log);

    // Opening.
    result<> lock_and_lay_out();
    result<> recover();
    result<> sync_commits(const std::vector<change>& found);
    static std::vector<change> changes_after(revision logged, tree_content& tree);
    void fill_indexes(tree_content& tree);
    result<> check_format();
    result<> mark_format();

    // Writing: each stage_ function runs on the pool and does everything but the commit. If it fails, it
    // leaves the store unchanged. undo reverts it after a failed commit, by renames, which need no space.
    struct staged {
        committer::ticket number;
        record_ptr record;
        std::string remains;  ///< to be removed after the commit; empty: nothing
        undoing undo;
        bool in_two_steps = false;  ///< the remains were renamed before the new folder was
        bool is_kept = false;       ///< the previous version is stored as a kept version
    };
    /// The previous version, and whether a write keeps it.
    struct replacement {
        bool is_there = false;
        previous_version rule = previous_version::drop();
    };
    result<staged> stage_save(image_record record, const body& original, const body& preview,
                              const std::string& folder, replacement previous);
    result<> stage_in_place(const std::string& temporary, const std::string& folder, replacement previous,
                            staged& ready);
    result<staged> stage_kept(image_record record, const body& original, const body& preview,
                              kept_version version);
    /// A folder under a temporary name with everything except record.json; none if it fails.
    result<std::string> stage_folder(const image_record& record, const body& original, const body& preview);
    result<> finish_folder(const std::string& folder, const image_record& record);
    result<> write_folder(const std::string& folder, const image_record& record, const body& original,
                          const body& preview);
    result<> make_image_folder(const std::string& tenant, const std::string& path);
    std::string rename_replaced(const std::string& path);
    result<staged> stage_update(const image_record& current, const image_record& wanted,
                                const std::string& folder);
    result<staged> stage_erase(const image_record& current, const std::string& folder,
                               const previous_version& rule);
    result<staged> stage_drop(const kept_version& version);
    task<result<documents_outcome>> write_one(std::vector<document_write> parts, std::size_t which);
    task<result<documents_outcome>> write_group(std::vector<document_write> parts,
                                                std::vector<kit::lanes::guard> held);
    result<> ensure_folder(const std::string& folder);
    /// For a folder that was removed by another program.
    result<> ensure_folder_again(const std::string& folder);

    result<staged> stage_document(document doc);
    result<staged> stage_document_erasure(const document& doc);
    result<staged> stage_group(std::vector<document_write>& parts);
    result<> carry_out(group& one);
    /// Completes the group and removes it; stops writing if a synchronisation fails.
    result<> settle(const std::shared_ptr<group>& one);

    /// Writes a small file, on a full disk into the reserve. Sets remains and undo of @p ready. not_found if
    /// the folder does not exist.
    result<> stage_file(const std::string& folder, const std::string& name, std::string_view text,
                        reserve::part part, staged& ready);
    /// Calls @p step, and again after space was freed for it.
    template <class Step>
    auto with_reserve(Step step) -> decltype(step());
    /// Renames the erased entry; sets remains and undo of @p ready. Succeeds if the entry does not exist.
    result<> stage_removal(const std::string& folder, const std::string& path, const std::string& remains,
                           staged& ready);

    /// The error that a failed write returns; stops writing if a synchronisation failed.
    error answer_of(error why);
    /// Runs @p undo on the pool, or leaves it to the next write. Returns the error of the failed write.
    task<error> take_back(error why, undoing undo);
    error after_failure(error why, undoing undo);
    void remove_later(std::string path);

    // Reading.
    /// What is read to be served is kept in the cache.
    result<body> load(const image_record& record, bool preview, const std::string& folder,
                      kit::read_purpose why);
    /// Calls load(), and again where the folder was renamed by a write in progress.
    task<result<body>> load_version(record_ptr record, bool preview, std::string folder,
                                    kit::read_purpose why);
    /// The present folder of this version; empty if it is neither current nor kept.
    [[nodiscard]] std::string folder_of_version(const image_record& record) const;

    // Checking.
    std::vector<std::string> differences(const image_record& record, const std::string& folder);
    [[nodiscard]] std::vector<std::string> wrong_usage() const;
    task<std::vector<std::string>> check_kept(std::uint64_t& count);
    std::optional<std::string> document_difference(const document& doc);
    result<std::vector<std::string>> unknown_folders();
    /// Also counts them.
    result<std::vector<std::string>> set_aside_entries();

    const std::string path_;
    const store_options options_;
    const log_function log_function_;
    unique_fd root_;
    unique_fd lock_;
    std::atomic<bool> can_exchange_;
    bool upgrades_ = false;                         ///< the store has format 1 until it is opened
    std::atomic<std::size_t> set_aside_count_ = 0;  ///< when it was opened or checked

    kit::catalog catalog_;
    kit::documents documents_;
    kit::usage_book usage_;
    open_groups open_groups_;
    kit::feed feed_;
    std::unique_ptr<reserve> reserve_;
    write_stop stop_;
    std::unique_ptr<change_log> log_;
    std::unique_ptr<revisions> numbers_;
    std::unique_ptr<committer> committer_;
    kit::lanes lanes_;
    claims claims_;
    body_cache cache_;
    mutex folders_mutex_;
    /// The folders of tenants and of kinds of documents that exist and are durable.
    std::set<std::string> durable_folders_ GALLERY_GUARDED_BY(folders_mutex_);
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
