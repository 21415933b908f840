// SPDX-License-Identifier: Apache-2.0
/// The images of a store: records, bytes, lists, and kept versions. Part of the storage contract;
/// storage.hpp contains the rules that apply to every function.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>
#include <gallery/write.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery {

/// A record with its bytes as they were before a save replaced them or an erasure removed them.
///
/// It is identified by the id and the content_rev of its record. Its record and bytes never change. It
/// reserves nothing: its key, id and public key are free for other images. Only kept(), kept_of(),
/// find_kept() and, given its record, read() return it. It stays until drop_kept() removes it. A store drops
/// no version by itself, and neither erasing nor saving an image drops versions that were kept before.
struct kept_version {
    record_ptr record;           ///< as it was when it was replaced or erased, including rev and content_rev
    revision kept_rev = 0;       ///< of the write that kept it; unique within the store
    std::int64_t kept_time = 0;  ///< as passed to the write, milliseconds since 1970-01-01T00:00Z
    bool is_erased = false;      ///< true: kept by an erasure; false: by a save
};

/// Order of kept versions by kept_rev.
enum class kept_order : std::uint8_t { newest_first, oldest_first };

/// Part of a sequence, for a check of everything that is stored.
template <class Item>
struct checked_page {
    scan_page<Item> page;
    std::vector<std::string> unreadable;  ///< for operators: one text for each item that cannot be read
};

class image_store {
public:
    image_store() = default;
    image_store(const image_store&) = delete;
    image_store& operator=(const image_store&) = delete;
    virtual ~image_store() = default;

    // ---- reading ---------------------------------------------------------------------------------

    /// The record under a key. Error: not_found.
    virtual task<result<record_ptr>> find(tenant_id tenant, std::string key) = 0;

    /// The record with an id, of any tenant. Error: not_found.
    virtual task<result<record_ptr>> find_by_id(image_id id) = 0;

    /// The record with a public key, whether it is public now or not. Error: not_found.
    virtual task<result<record_ptr>> find_by_public_key(std::string public_key) = 0;

    /// The tenant's images of any sub type that have an original with this SHA-256: the first
    /// max_same_content of them in the order of their ids (bytewise). Empty if there is none.
    static constexpr std::size_t max_same_content = 10;
    virtual task<result<std::vector<record_ptr>>> find_by_content(tenant_id tenant, sha256_digest etag) = 0;

    /// The bytes of one representation of exactly the save that the record belongs to (its id and
    /// content_rev), whether that version is current or kept; never those of an earlier or later save. Bytes
    /// that differ from record->descriptor(which) are an error: engines check the hash of bytes from the
    /// disk, and need not check bytes again that they have kept since. A body has the size that the
    /// descriptor states, and a region has a file; the server refuses any other body. A returned body stays
    /// readable, whatever is written or dropped afterwards. A read that overlaps the write that removes the
    /// version returns the bytes or stale, nothing else. Errors: stale if the version is neither current nor
    /// kept, corrupt.
    virtual task<result<body>> read(record_ptr record, representation which) = 0;

    /// As read(), for copies of the whole store: bytes that are not in the memory of the engine are not kept
    /// there, so that those of requests stay. An engine that keeps no bytes in memory inherits this function,
    /// which calls read().
    virtual task<result<body>> read_aside(record_ptr record, representation which);

    /// Reads the bytes of one representation where they are stored, and compares their size and hash with the
    /// record. For checks of the whole store: the bytes do not come from the memory of the engine, and are
    /// not kept there, so that those of requests stay. A read that overlaps the write that removes the
    /// version succeeds or returns stale. Errors: as read(). An engine that keeps no bytes in memory inherits
    /// this function, which calls read().
    virtual task<result<void>> check_body(record_ptr record, representation which);

    /// The answers of find(), find_by_public_key() and read() if they are in memory and nothing has to be
    /// waited for. Otherwise empty, also if the answer would be an error: the server then calls the
    /// coroutine. An answer is as new as the coroutine's. For an engine with `shared` in its descriptor it
    /// contains at least every commit before the last horizon that changes() returned (change_feed.hpp). Any
    /// thread; never blocks. An engine that keeps nothing in memory inherits these functions.
    [[nodiscard]] virtual std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key);
    [[nodiscard]] virtual std::optional<record_ptr> find_by_public_key_now(std::string_view public_key);
    [[nodiscard]] virtual std::optional<body> read_now(const image_record& record, representation which);

    /// One page. Errors: invalid_argument for page_size 0 and for a text_search that is not UTF-8.
    virtual task<result<image_page>> list(image_query query) = 0;

    /// All records, or all of one tenant, in order of (tenant, key), bytewise, at most @p limit (at least 1)
    /// per call. An empty cursor starts. A record that is stored during the whole scan is returned exactly
    /// once; one that is written meanwhile may or may not be returned. Error: invalid_argument for a cursor
    /// that this function did not return, and for a limit of 0.
    virtual task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                                     std::size_t limit) = 0;

    /// All records, as scan(), for checks of the whole store: a record that cannot be read is left out and
    /// described in the page, and those behind it follow. At most @p limit (at least 1) records per call,
    /// with those that cannot be read. Cursors are those of scan(). Errors: as scan(); corrupt if the records
    /// behind a damaged part cannot be found. An engine whose scan() never meets such a record inherits this
    /// function, which calls scan().
    virtual task<result<checked_page<record_ptr>>> scan_readable(std::string cursor, std::size_t limit);

    /// The usage of a tenant, or of all tenants together. Exact: the sums over the records and kept versions
    /// that are stored at one moment during the call. Zeros for a tenant that has nothing.
    virtual task<result<tenant_usage>> usage(std::optional<tenant_id> tenant) = 0;

    // ---- kept versions ---------------------------------------------------------------------------

    /// Kept versions of all tenants, or of one, at most @p limit (at least 1) per call. An empty cursor
    /// starts. A cursor is valid for the tenant and order of its call. A version that is kept during the
    /// whole scan is returned exactly once; one that is kept or dropped meanwhile may or may not be returned.
    /// Error: invalid_argument for a cursor that this function did not return, and for a limit of 0.
    virtual task<result<scan_page<kept_version>>> kept(std::optional<tenant_id> tenant, kept_order order,
                                                       std::string cursor, std::size_t limit) = 0;

    /// The kept versions of all tenants, oldest first, as kept(); otherwise as scan_readable().
    virtual task<result<checked_page<kept_version>>> kept_readable(std::string cursor, std::size_t limit);

    /// The kept versions of one image id, newest first; otherwise as kept().
    virtual task<result<scan_page<kept_version>>> kept_of(image_id id, std::string cursor,
                                                          std::size_t limit) = 0;

    /// Error: not_found.
    virtual task<result<kept_version>> find_kept(image_id id, revision content_rev) = 0;

    // ---- writing ---------------------------------------------------------------------------------

    /// Stores a record with new bytes under (record.tenant, record.key). It replaces the present
    /// version, which is dropped or kept according to @p rules. The precondition applies to that key. @p
    /// preview is ignored if record.preview_is_original. rev and content_rev of the argument are ignored
    /// and set to the new revision in the outcome's record. If there is no present version, nothing is
    /// kept. Outcomes: committed, conflict, public_key_taken, over_limit. Errors: no_space;
    /// invalid_argument if sizes of bodies and descriptors differ or the id belongs to an image under
    /// another key. If several things are wrong, the first of these is returned: sizes, precondition,
    /// id, public key, limit.
    virtual task<result<write_outcome>> save(image_record record, body original, body preview,
                                             write_rules rules) = 0;

    /// Stores title, file_name, sub_type, is_public, tags and modified_time of @p record. All other members
    /// are ignored, and the bytes stay. Keeps no version. Outcomes: committed, conflict, absent. Error:
    /// no_space.
    virtual task<result<write_outcome>> update(image_record record, precondition condition) = 0;

    /// Removes the record, and keeps or drops it with its bytes according to @p rules. Outcomes: committed,
    /// conflict, absent (regardless of the precondition). Error: no_space.
    virtual task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) = 0;

    /// Stores a new kept version, as the newest one, to copy another store. rev and content_rev of the
    /// argument are ignored; they and kept_rev are set to the new revision. There are no other conditions,
    /// because a kept version reserves nothing. Outcome: committed, with the stored record, and its
    /// content_rev as `kept`. Errors: no_space, invalid_argument for sizes as in save().
    virtual task<result<write_outcome>> save_kept(image_record record, body original, body preview,
                                                  std::int64_t kept_time, bool is_erased) = 0;

    /// Removes a kept version and frees its bytes. Outcomes: committed, absent.
    virtual task<result<write_outcome>> drop_kept(image_id id, revision content_rev) = 0;
};

/// Declares all functions of image_store in a class that overrides them all, except scan_readable() and
/// kept_readable().
#define GALLERY_OVERRIDE_IMAGE_STORE                                                                      \
    task<result<record_ptr>> find(tenant_id tenant, std::string key) override;                            \
    task<result<record_ptr>> find_by_id(image_id id) override;                                            \
    task<result<record_ptr>> find_by_public_key(std::string public_key) override;                         \
    task<result<std::vector<record_ptr>>> find_by_content(tenant_id tenant, sha256_digest etag) override; \
    task<result<body>> read(record_ptr record, representation which) override;                            \
    task<result<body>> read_aside(record_ptr record, representation which) override;                      \
    task<result<void>> check_body(record_ptr record, representation which) override;                      \
    std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key) override;           \
    std::optional<record_ptr> find_by_public_key_now(std::string_view public_key) override;               \
    std::optional<body> read_now(const image_record& record, representation which) override;              \
    task<result<image_page>> list(image_query query) override;                                            \
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,         \
                                             std::size_t limit) override;                                 \
    task<result<tenant_usage>> usage(std::optional<tenant_id> tenant) override;                           \
    task<result<scan_page<kept_version>>> kept(std::optional<tenant_id> tenant, kept_order order,         \
                                               std::string cursor, std::size_t limit) override;           \
    task<result<scan_page<kept_version>>> kept_of(image_id id, std::string cursor, std::size_t limit)     \
        override;                                                                                         \
    task<result<kept_version>> find_kept(image_id id, revision content_rev) override;                     \
    task<result<write_outcome>> save(image_record record, body original, body preview, write_rules rules) \
        override;                                                                                         \
    task<result<write_outcome>> update(image_record record, precondition condition) override;             \
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override;     \
    task<result<write_outcome>> save_kept(image_record record, body original, body preview,               \
                                          std::int64_t kept_time, bool is_erased) override;               \
    task<result<write_outcome>> drop_kept(image_id id, revision content_rev) override

inline task<result<body>> image_store::read_aside(record_ptr record, representation which) {
    return read(std::move(record), which);
}
inline task<result<void>> image_store::check_body(record_ptr record, representation which) {
    const auto content = co_await read(std::move(record), which);
    if (!content) co_return content.error();
    co_return result<void>();
}
inline task<result<checked_page<record_ptr>>> image_store::scan_readable(std::string cursor,
                                                                         std::size_t limit) {
    const std::optional<tenant_id> everybody;
    auto page = co_await scan(everybody, std::move(cursor), limit);
    if (!page) co_return page.error();
    co_return checked_page<record_ptr>{std::move(*page), {}};
}
inline task<result<checked_page<kept_version>>> image_store::kept_readable(std::string cursor,
                                                                           std::size_t limit) {
    const std::optional<tenant_id> everybody;
    auto page = co_await kept(everybody, kept_order::oldest_first, std::move(cursor), limit);
    if (!page) co_return page.error();
    co_return checked_page<kept_version>{std::move(*page), {}};
}
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

}  // namespace gallery
