// SPDX-License-Identifier: Apache-2.0
/// The changes of a store. Part of the storage contract; storage.hpp contains the rules that apply to every
/// function.
#pragma once

#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gallery {

/// One committed write of one image, kept version or document.
struct change {
    enum class kind : std::uint8_t {
        image_saved,    ///< bytes and record
        image_updated,  ///< record only
        image_erased,
        version_kept,     ///< by save_kept(); a save or an erasure reports the version it keeps in its `kept`
        version_dropped,  ///< by drop_kept()
        document_saved,
        document_erased,
    };
    kind what = kind::image_saved;
    revision rev = 0;        ///< the revision that the write returned; the position in the feed
    tenant_id tenant;        ///< images and kept versions: of the record
    std::string key;         ///< likewise
    image_id id;             ///< likewise; of the record that was written, erased, kept or dropped
    std::string public_key;  ///< likewise
    /// image_saved and image_erased: content_rev of the version that the write kept, 0 if it kept none.
    /// version_kept and version_dropped: content_rev of that version.
    revision kept = 0;
    std::string document_kind;  ///< documents
    std::string document_id;    ///< documents
};

struct change_batch {
    std::vector<change> changes;  ///< in order of revision, which is the order of commits for each image
    revision next = 0;  ///< pass this as `after` to continue; of an empty batch: `after`, or a gap's end
    bool gap = false;   ///< history after `after` is lost; discard everything that was derived from it
    /// If this batch reaches the end of the feed: a moment T such that every write that was acknowledged in
    /// any process before T is at or before `next`. Otherwise the earliest possible time. It never decreases
    /// from batch to batch. An engine that belongs to one process returns the time at which the call began to
    /// read. Data that is derived from the feed is as new as this moment.
    std::chrono::steady_clock::time_point horizon = std::chrono::steady_clock::time_point::min();
};

class change_feed {
public:
    change_feed() = default;
    change_feed(const change_feed&) = delete;
    change_feed& operator=(const change_feed&) = delete;
    virtual ~change_feed() = default;

    /// Committed writes after a revision, from any process, at most @p limit (at least 1). A write is in the
    /// feed before its outcome is returned, and no write with a smaller revision appears after one was read.
    /// Parts of one atomic write follow each other; a limit may separate them. An engine keeps at least the
    /// last 10,000 changes, across restarts if it is durable. If @p after is older than the kept changes, or
    /// belongs to a history that the store no longer has, gap is set and the batch starts with the oldest
    /// kept change. If it is above every assigned revision (a backup was restored), the batch is empty, or
    /// gap is set and it starts with the oldest. Error: invalid_argument for a limit of 0.
    virtual task<result<change_batch>> changes(revision after, std::size_t limit) = 0;

    /// The revision of the newest change, at least of every write that was acknowledged in any process before
    /// the call. A reader that needs only later changes starts here.
    virtual task<result<revision>> last() = 0;

    /// @p notify is called after each commit of any process is visible in changes(). One call may report
    /// several commits. It is called on any thread and must not block. There is one listener, set before the
    /// first write and never changed. It is not called after the engine's destructor has returned.
    virtual void on_change(std::function<void()> notify) = 0;
};

/// Declares all functions of change_feed in a class that implements them.
#define GALLERY_OVERRIDE_CHANGE_FEED                                                \
    task<result<change_batch>> changes(revision after, std::size_t limit) override; \
    task<result<revision>> last() override;                                         \
    void on_change(std::function<void()> notify) override

}  // namespace gallery
