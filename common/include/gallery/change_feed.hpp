// SPDX-License-Identifier: Apache-2.0
/// The changes of a store. Part of the storage contract; storage.hpp has the rules that hold for every
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
        version_kept,     ///< by save_kept(); versions that a save or an erasure keeps are in `kept` of that
        version_dropped,  ///< by drop_kept()
        document_saved,
        document_erased,
    };
    kind what = kind::image_saved;
    revision rev = 0;        ///< that the write returned; the position in the feed
    tenant_id tenant;        ///< images and kept versions: of the record
    std::string key;         ///< likewise
    image_id id;             ///< likewise; of the record that was written, erased, kept or dropped
    std::string public_key;  ///< likewise
    /// image_saved and image_erased: content_rev of the version that the write kept, 0 where it kept none.
    /// version_kept and version_dropped: content_rev of that version.
    revision kept = 0;
    std::string document_kind;  ///< documents
    std::string document_id;    ///< documents
};

struct change_batch {
    std::vector<change> changes;  ///< in order of revision, which is the order of commits for each image
    revision next = 0;  ///< pass this as `after` to continue; of an empty batch: `after`, or a gap's end
    bool gap = false;   ///< history after `after` is lost; drop what was derived from it
    /// Where this batch reaches the end of the feed: a moment such that every write which any process had
    /// been told to be committed before it is at or before `next`. Otherwise the earliest time there is. It
    /// never goes back from batch to batch. An engine that one process owns gives the time at which the call
    /// began to look. What is derived from the feed in memory is as new as this moment.
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
    /// last 10,000 changes, across restarts where it is durable. Where @p after is older than what is kept,
    /// or of a history that the store does not have any more, gap is set and the batch starts with the oldest
    /// kept. Where it is above every revision that the store has given out (a backup was restored) the batch
    /// is empty, or gap is set and it starts with the oldest. Error: invalid_argument for a limit of 0.
    virtual task<result<change_batch>> changes(revision after, std::size_t limit) = 0;

    /// The revision of the newest change, at least of every write that any process had been told to be
    /// committed before the call. A reader that only wants the future begins here.
    virtual task<result<revision>> last() = 0;

    /// @p notify is called after each commit of any process has become visible in changes(); one call may
    /// stand for several commits. It is called on any thread and does not block. One listener; set before the
    /// first write and never after. It is not called any more once the engine's destructor has returned.
    virtual void on_change(std::function<void()> notify) = 0;
};

}  // namespace gallery
