// SPDX-License-Identifier: Apache-2.0
/// Large bodies as files beside the database.
///
/// A file has a number of its own, and its name contains the number, the image's id and the representation:
/// `bodies/<number / 4096>/<number>-<id>-<original or preview>`. Numbers increase and are never reused, so a
/// file is written once and never changed. The body's reference, an entry of the lookup family, leads from id
/// and content revision to the number.
///
/// **Writing.** File, folder entry and, for a new folder, the folder's own entry are synchronised before the
/// batch that contains the reference is written. The revision of the write is assigned after that, so that
/// other writes do not wait for a large file.
///
/// **Removing.** The batch that deletes a reference stores a removal entry under the number. The file is
/// unlinked when that batch is durable. The removal entry is deleted, without a synchronisation, after the
/// folder was synchronised. A reader that has the file open keeps its bytes.
///
/// **After a crash** a file may be there that nothing refers to. There are two kinds, and both are found
/// without reading all folders:
/// - Files whose reference was deleted have a removal entry.
/// - Files whose reference was never written have a number from the watermark on, which is stored in the
///   database. A number below it is settled: its file has a reference, had one, or was removed durably. Each
///   start looks at the folders from the watermark on, removes what has no reference, and moves the
///   watermark. While the store is open, the watermark follows the oldest number in progress, a folder at a
///   time.
/// If it is unknown whether a batch was written, its files stay, and the watermark stays below them until the
/// next start, which decides by the references. A file that may have a reference is never removed.
///
/// Numbers of a start begin with a new folder. Even a lost file, to which an entry still refers, so shares
/// its name with no other one.
///
/// Threads: all functions from any thread; those that read or write files block. Removals run on a thread of
/// their own.
#pragma once

#include "engine.hpp"

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/kit/files.hpp>
#include <gallery/model.hpp>
#include <gallery/mutex.hpp>

#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace gallery::rocks {

struct body_file {
    std::uint64_t number = 0;
    image_id id;
    representation which = representation::original;

    friend bool operator==(const body_file&, const body_file&) = default;
};

class body_files {
public:
    /// Numbers in one folder.
    static constexpr std::uint64_t folder_size = 4096;

    body_files(engine& db, log_function log) : engine_(db), log_(std::move(log)) {}
    body_files(const body_files&) = delete;
    body_files& operator=(const body_files&) = delete;
    ~body_files();

    /// Completes removals, and removes files from the watermark on that have no reference, unless
    /// @p keeps_unknown: the database has lost writes that may have referred to them. Does nothing to a store
    /// that is open for reading only. @p folder is that of the store. Once, before all other functions. The
    /// batch of put_watermark() must be written next.
    result<void> open(const std::string& folder, bool keeps_unknown);
    /// Adds the watermark after opening.
    void put_watermark(rocksdb::WriteBatch& batch) const;

    /// A durable file without a reference. It is removed with the draft, unless begin() was called.
    class draft {
    public:
        draft(body_files& in, const body_file& file) noexcept : owner_(&in), file_(file) {}
        draft(draft&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)),
              begun_(std::exchange(other.begun_, nullptr)),
              file_(other.file_) {}
        draft& operator=(draft&&) = delete;
        draft(const draft&) = delete;
        draft& operator=(const draft&) = delete;
        ~draft() {
            if (owner_ != nullptr) owner_->discard(file_);
        }

        [[nodiscard]] const body_file& file() const noexcept { return file_; }
        /// The batch with its reference is about to be written: from now on the file stays.
        void begin() noexcept { begun_ = std::exchange(owner_, nullptr); }
        /// The batch is durable.
        void end() {
            if (begun_ != nullptr) begun_->settle({file_.number});
        }

    private:
        body_files* owner_;
        body_files* begun_ = nullptr;
        body_file file_;
    };

    /// Writes and synchronises a file. Errors: no_space, busy, io_error; nothing refers to the file then.
    result<draft> write(const image_id& id, representation which, const body& content);

    /// Error: not_found.
    result<kit::files::unique_fd> open_to_read(const body_file& file) const;

    /// Removes files whose removal entries are durable.
    void remove(const std::vector<body_file>& which);

    /// Adds reference or removal to a batch; to a batch with a reference sometimes the watermark as well.
    void put_reference(rocksdb::WriteBatch& batch, const body_file& file, revision content_rev);
    void put_removal(rocksdb::WriteBatch& batch, const body_file& file, revision content_rev) const;
    /// The file of a body; nothing if it is not in a file.
    result<std::optional<body_file>> find(const image_id& id, revision content_rev, representation which,
                                          engine::reach how, const snapshot_ptr& at = nullptr) const;

    /// Whether any body is in this file.
    result<bool> is_referred_to(const body_file& file) const;

    /// Calls @p found with each file that is settled, and with its size. Files that come or go meanwhile may
    /// be left out. @p unknown is called with the path of each entry that is not a file of a body.
    result<void> for_each(const std::function<result<void>(const body_file&, std::uint64_t)>& found,
                          const std::function<void(const std::string&)>& unknown) const;

    /// Relative to the folder of the store.
    static std::string path_of(const body_file& file);

    struct figures {
        std::uint64_t written = 0;
        std::uint64_t removed = 0;
        std::uint64_t waiting = 0;  ///< to be removed
    };
    [[nodiscard]] figures statistics() const;

private:
    struct removal {
        body_file file;
        bool has_entry = false;  ///< a removal entry in the database
    };

    result<void> complete_removals();
    result<void> look_from_the_watermark(bool keeps_unknown);
    result<void> check_folder_exists() const;
    result<body_file> write_file(const image_id& id, representation which, const body& content);
    result<void> ensure_folder(const std::string& folder);
    result<void> synchronise_folder(const std::string& folder);
    /// Stops writing if the state of the disk is unknown.
    error failed(error why, bool is_folder);
    void discard(const body_file& file) noexcept;
    void settle(const std::vector<std::uint64_t>& numbers);
    [[nodiscard]] std::uint64_t settled_below() const GALLERY_REQUIRES(mutex_);

    void run();
    /// Unlinks; returns what is gone.
    std::vector<removal> unlink(std::vector<removal> which);
    void confirm(std::vector<removal>& unlinked);
    void remove_empty(const std::set<std::string>& folders);

    engine& engine_;
    const log_function log_;
    kit::files::unique_fd root_;
    std::uint64_t watermark_ = 0;  ///< as stored at the opening

    mutable mutex mutex_;
    condition_variable changed_;
    std::uint64_t next_ GALLERY_GUARDED_BY(mutex_) = 0;
    std::uint64_t stored_watermark_ GALLERY_GUARDED_BY(mutex_) = 0;
    /// Numbers whose files are being written, or are there without a reference.
    std::set<std::uint64_t> in_progress_ GALLERY_GUARDED_BY(mutex_);
    std::vector<removal> removals_ GALLERY_GUARDED_BY(mutex_);
    bool stopped_ GALLERY_GUARDED_BY(mutex_) = false;

    mutex folders_mutex_;
    std::set<std::string> durable_folders_ GALLERY_GUARDED_BY(folders_mutex_);

    /// Writers that have created files share a synchronisation of the folder: one that begins after a file
    /// was created covers it.
    struct round {
        std::set<std::string> folders;
        bool has_ended = false;
        result<void> outcome;
    };
    mutex rounds_mutex_;
    condition_variable round_ended_;
    std::shared_ptr<round> next_round_ GALLERY_GUARDED_BY(rounds_mutex_);
    bool is_synchronising_ GALLERY_GUARDED_BY(rounds_mutex_) = false;

    std::atomic<std::uint64_t> written_{0};
    std::atomic<std::uint64_t> removed_{0};
    std::atomic<std::uint64_t> waiting_{0};
    std::atomic<bool> has_warned_{false};
    std::thread thread_;
};

}  // namespace gallery::rocks
