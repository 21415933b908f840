/// The storage contract: what a gallery asks of the engine that keeps it.
///
/// The seam is at the level of the gallery: an engine stores image records with their bytes, not keys and
/// values, so that each does it its natural way. test/contract holds every engine to this page.
///
/// Threads. Every coroutine is started on an I/O thread, from any of several, at the same time as others,
/// and resumes on the executor it was awaited on. It never blocks that thread: an engine that blocks has a
/// pool of its own (see offload in task.hpp). Where the engine can tell that an answer is in memory it
/// answers without leaving the thread.
/// Arguments are values. They live in the coroutine.
/// Errors are gallery::error values with the codes named at each function, and besides them io_error,
/// corrupt, busy, unavailable and internal everywhere, and read_only from every write while writing() is not
/// ok. Exceptions do not cross.
/// Records: a record_ptr in a successful answer, also one in a page, is never null. The server answers
/// `internal` in the name of an engine that does not keep to this.
/// Durability. A write is atomic and durable when its outcome is returned: after a kill or a power cut it
/// is wholly there or wholly not, and one that was acknowledged is there. Record, original, preview, index
/// entries and public key change together. After io_error, unavailable or internal a write may or may
/// not have happened; after every other error nothing was changed.
/// A full disk. An engine on a disk keeps a reserve of space for writes that free space or take rights away:
/// erase() and erase_document() may use all of it, update() and save_document() the first half, so that
/// erasing works after everything else. save() uses none of it, and fails with no_space while the reserve is
/// not complete. The engine completes the reserve again when there is space. Opening a store on a full disk
/// succeeds, where need be by means of the reserve, and what erasing frees can be used without a restart.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery {

/// What a write requires of what is there before it.
class precondition {
public:
    enum class kind : std::uint8_t { any, absent, match };

    static constexpr precondition any() noexcept { return {kind::any, 0}; }
    static constexpr precondition absent() noexcept { return {kind::absent, 0}; }
    static constexpr precondition match(revision rev) noexcept { return {kind::match, rev}; }

    /// @p current is 0 where nothing is there.
    [[nodiscard]] constexpr bool holds(revision current) const noexcept {
        return kind_ == kind::any || (kind_ == kind::absent ? current == 0 : current != 0 && current == rev_);
    }

private:
    constexpr precondition(kind what, revision rev) noexcept : kind_(what), rev_(rev) {}
    kind kind_;
    revision rev_;
};

/// How a write ended. A conflict is an outcome, not an error.
enum class write_status : std::uint8_t {
    committed,
    conflict,          ///< the precondition did not hold; nothing was changed
    absent,            ///< update and erase: there is nothing under that key; nothing was changed
    public_key_taken,  ///< another image has this public key; nothing was changed
};

struct write_outcome {
    write_status status = write_status::committed;
    /// Committed: the new revision (of an erase: the one the erasure has in the feed). Else the current
    /// one under the key that was to be written, 0 where nothing is there.
    revision rev = 0;
    /// Committed save and update: the record as stored. Conflict: the current one, null where none is.
    /// Public key taken: the current one under the key that was to be written, or null; never its owner.
    /// Else null.
    record_ptr record;
};

/// A small versioned JSON document of the accounts: tenants, users, customers, api keys, sessions.
/// Kind and id are [a-z0-9_-] with at most 32 and 128 characters; a body has at most 64 KiB.
struct document {
    std::string kind;
    std::string id;
    std::string body;
    revision rev = 0;  ///< set by the store

    friend bool operator==(const document&, const document&) = default;
};

/// One committed write.
struct change {
    enum class kind : std::uint8_t {
        image_saved,    ///< bytes and record
        image_updated,  ///< record only
        image_erased,
        document_saved,
        document_erased,
    };
    kind what = kind::image_saved;
    revision rev = 0;        ///< that the write returned; the position in the feed
    tenant_id tenant;        ///< images
    std::string key;         ///< images
    image_id id;             ///< images
    std::string public_key;  ///< images
    std::string document_kind;
    std::string document_id;
};

struct change_batch {
    std::vector<change> changes;  ///< in order of revision, which is the order of commits for each image
    revision next = 0;  ///< pass this as `after` to go on; of an empty batch: `after`, or a gap's end
    bool gap = false;   ///< history after `after` is lost; drop what was derived from it
};

/// A part of everything, in a stable order (tenant, key) or (id).
template <class Item>
struct scan_page {
    std::vector<Item> items;
    std::string cursor;  ///< pass it to go on; opaque; empty where this page was the last
};

/// What check() found. Empty problems: sound.
struct check_report {
    std::uint64_t records = 0;
    std::uint64_t index_entries = 0;
    std::uint64_t documents = 0;
    /// At most 1,000, each with what is wrong, with which image, and what helps.
    std::vector<std::string> problems;
};

/// Whether a store takes writes at the moment.
struct write_state {
    enum class kind : std::uint8_t {
        ok,         ///< writes are accepted; also on a full disk, where each answers no_space
        read_only,  ///< opened without being able to store anything new; reads are served
        failed,     ///< a failure ended writing until the store is opened again; reads are served
    };
    kind state = kind::ok;
    /// What happened and what to do, for operators: a short text that may name files. It is never sent to a
    /// client. Empty where state is ok.
    std::string reason;

    friend bool operator==(const write_state&, const write_state&) = default;
};

class image_store {
public:
    image_store() = default;
    image_store(const image_store&) = delete;
    image_store& operator=(const image_store&) = delete;

    /// Closes the store; blocks until what is under way has ended. No coroutine of it may be running.
    virtual ~image_store() = default;

    // ---- images: reading -------------------------------------------------------------------------

    /// The record under a key. Error: not_found.
    virtual task<result<record_ptr>> find(tenant_id tenant, std::string key) = 0;

    /// The record with an id, of whichever tenant. Error: not_found.
    virtual task<result<record_ptr>> find_by_id(image_id id) = 0;

    /// The record with a public key, whether it is public now or not. Error: not_found.
    virtual task<result<record_ptr>> find_by_public_key(std::string public_key) = 0;

    /// The bytes of one representation of exactly this record; never those of an earlier or later save.
    /// Bytes that are not what record->descriptor(which) says they are, are an error: engines check the
    /// hash when bytes come from the disk, and may leave it out for bytes that they checked before and
    /// kept since. A body is as long as the descriptor says, and a region has a file; the server sends
    /// nothing of one that is not. Error: stale where the record has been replaced or erased, corrupt.
    virtual task<result<body>> read(record_ptr record, representation which) = 0;

    /// What find(), find_by_public_key() and read() would answer, where it lies in memory and nothing has to
    /// be waited for; else empty, also where the answer would be an error: then the coroutine is asked. An
    /// answer is as new as the coroutine's. Any thread; never blocks. An engine that keeps nothing in memory
    /// inherits these.
    [[nodiscard]] virtual std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key);
    [[nodiscard]] virtual std::optional<record_ptr> find_by_public_key_now(std::string_view public_key);
    [[nodiscard]] virtual std::optional<body> read_now(const image_record& record, representation which);

    /// One page. Errors: invalid_argument for page_size 0.
    virtual task<result<image_page>> list(image_query query) = 0;

    /// Everything, or everything of one tenant, in order of (tenant, key), at most @p limit (at least 1) a
    /// call; an empty cursor begins. What is written meanwhile may or may not be seen, all else is seen once.
    /// Error: invalid_argument for a cursor that this function did not return, and for a limit of 0.
    virtual task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                                     std::size_t limit) = 0;

    // ---- images: writing -------------------------------------------------------------------------

    /// Stores a record with new bytes under (record.tenant, record.key), in place of what is there. The
    /// precondition is on that key. @p preview is ignored where record.preview_is_original. rev and
    /// content_rev of the argument are ignored and set to the new revision in the outcome's record.
    /// Outcomes: committed, conflict, public_key_taken. Errors: no_space; invalid_argument where sizes of
    /// bodies and descriptors differ or the id belongs to another key.
    /// Where several things are wrong the first of these is answered: sizes, precondition, id, public key.
    virtual task<result<write_outcome>> save(image_record record, body original, body preview,
                                             precondition condition) = 0;

    /// Stores title, file_name, sub_type, is_public, external_id and origin of @p record; everything else
    /// of it is ignored and the bytes stay. Outcomes: committed, conflict, absent. Error: no_space.
    virtual task<result<write_outcome>> update(image_record record, precondition condition) = 0;

    /// Removes record and bytes. Outcomes: committed, conflict, absent.
    virtual task<result<write_outcome>> erase(tenant_id tenant, std::string key, precondition condition) = 0;

    // ---- accounts --------------------------------------------------------------------------------

    /// Error: not_found, also for a kind or id that no document can have.
    virtual task<result<document>> find_document(std::string kind, std::string id) = 0;

    /// All of a kind in order of id, at most @p limit (at least 1) a call; an empty cursor begins. Nothing
    /// where no document can have this kind. Error: invalid_argument for a limit of 0, and for a cursor that
    /// this function cannot have returned.
    virtual task<result<scan_page<document>>> scan_documents(std::string kind, std::string cursor,
                                                             std::size_t limit) = 0;

    /// Outcomes: committed, conflict (record is null in both). Errors: no_space, invalid_argument for a
    /// malformed kind or id or an oversized body.
    virtual task<result<write_outcome>> save_document(document doc, precondition condition) = 0;

    /// Outcomes: committed, conflict, absent (also for a kind or id that no document can have).
    virtual task<result<write_outcome>> erase_document(std::string kind, std::string id,
                                                       precondition condition) = 0;

    // ---- changes ---------------------------------------------------------------------------------

    /// Committed writes after a revision, from any process, at most @p limit (at least 1). A write is in the
    /// feed before its outcome is returned, and no write with a smaller revision appears after one was read.
    /// An engine keeps at least the last 10,000 changes, across restarts where it is durable; where
    /// @p after is older than what is kept, gap is set and the batch starts with the oldest kept. Where it
    /// is above every revision that the store has given out (a backup was restored) the batch is empty, or
    /// gap is set and it starts with the oldest. Error: invalid_argument for a limit of 0.
    virtual task<result<change_batch>> changes(revision after, std::size_t limit) = 0;

    /// The revision of the newest change; where a reader that only wants the future begins.
    virtual task<result<revision>> last_change() = 0;

    /// @p notify is called after each commit has become visible in changes(), on any thread; it does not
    /// block. One listener; set before the first write and never after.
    virtual void on_change(std::function<void()> notify) = 0;

    // ---- operation -------------------------------------------------------------------------------

    /// Compares the engine's structures with each other: each record has its index entries, public key
    /// and bodies (existence and length; hashes are checked by reading), each of those has its record,
    /// counts are right. What the engine has taken out of service because it could not be understood is a
    /// problem at every call, until an operator has dealt with it. May take long; writes may go on meanwhile
    /// only where the engine says so.
    virtual task<result<check_report>> check() = 0;

    /// Whether writes are accepted. While they are not, a write fails with read_only and changes nothing;
    /// removals may still succeed where they need no space. The write whose failure ended writing fails with
    /// io_error: its outcome is unknown.
    /// Any thread; cheap; never blocks. An engine that never stops writing inherits this.
    [[nodiscard]] virtual write_state writing() const;

    /// Figures for the metrics endpoint: name in snake_case with its unit ("block_cache_bytes") and value.
    /// Any thread; cheap.
    [[nodiscard]] virtual std::vector<std::pair<std::string, double>> statistics() const = 0;
};

inline std::optional<record_ptr> image_store::find_now(const tenant_id& /*tenant*/,
                                                       std::string_view /*key*/) {
    return std::nullopt;
}
inline std::optional<record_ptr> image_store::find_by_public_key_now(std::string_view /*public_key*/) {
    return std::nullopt;
}
inline std::optional<body> image_store::read_now(const image_record& /*record*/, representation /*which*/) {
    return std::nullopt;
}
inline write_state image_store::writing() const {
    return {};
}

}  // namespace gallery
