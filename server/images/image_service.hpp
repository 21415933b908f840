// SPDX-License-Identifier: Apache-2.0
/// The use cases of a gallery's images. All writes of images use this class.
///
/// Threads: every coroutine runs on the I/O thread of its caller; any number at the same time. Each use case
/// requires a proof of permission (permissions.hpp), which also names the tenant. A record argument of a read
/// was returned by a use case.
#pragma once

#include "cache/etag_cache.hpp"
#include "cache/freshness.hpp"
#include "images/permissions.hpp"
#include "images/quotas.hpp"
#include "imaging/picture.hpp"
#include "imaging/upload.hpp"

#include <gallery/async_mutex.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::images {

struct resource_export;

/// Bytes as received from a client, already hashed.
struct picture_file {
    std::string file_name;
    bytes data;
    sha256_digest digest{};
    std::string request_id;  ///< for the log; empty: of no request
};

struct new_image {
    picture_file file;
    std::string key;    ///< empty: the first free one that the file name yields
    std::string title;  ///< empty: the file name, or the metadata's title of a SCADA symbol
    image_sub_type sub_type = image_sub_type::image;
};

/// A new image that has passed all checks and is not stored yet. Its record has no key, id and times yet.
struct checked_image {
    image_record record;
    bytes original;
    bytes preview;  ///< empty where the preview is the original
};

/// The image that has some content.
struct image_of_content {
    record_ptr record;
    bool is_new = false;
};

/// Which of several images with the same content is taken, if there are several: the one under a key, else
/// one of a sub type.
struct content_wish {
    std::string key;
    image_sub_type sub_type = image_sub_type::image;
};

/// Checks the current record before it is changed, again after each lost race; null if an import finds none.
/// Error: precondition_failed for a failed condition. May be empty.
using record_check = std::function<result<void>(const image_record*)>;

/// Decodes an image in a process of its own (imaging::pool::inspect). Errors: not_an_image, too_large,
/// too_many_requests, busy.
using inspect_picture = std::function<task<result<imaging::picture>>(imaging::upload)>;

/// Whether a tenant was deleted or is being deleted (accounts::directory::is_tenant_deleted). Any thread.
using tenant_check = std::function<bool(const tenant_id&)>;

class image_service {
public:
    /// All of them must outlive this object. Without @p is_deleted no tenant is ever deleted. Nothing is
    /// answered from memory while @p fresh does not hold. Without @p quota no tenant has a limit.
    image_service(image_store& store, cache::etag_cache& etags, inspect_picture inspect,
                  tenant_check is_deleted = {}, const cache::freshness& fresh = cache::always_fresh,
                  quota_source quota = {});

    /// The limits of tenants, which every use case that stores bytes applies.
    [[nodiscard]] quotas& limits() noexcept { return quotas_; }

    /// Error: too_large if an image of at least @p size bytes, instead of one of @p replaced bytes, cannot be
    /// within the tenant's limit for all images. To be asked before an image is read and decoded; storing
    /// decides. Looks nothing up for a tenant without this limit.
    task<result<void>> require_room(image_read_permit may, std::uint64_t size, std::uint64_t replaced);

    /// Stores a new image under its key, or the first free one that its file name yields; public. Errors:
    /// version_conflict for a given key that is taken, invalid_argument for names, not_found where the tenant
    /// was deleted meanwhile, too_large over a limit of the tenant, those of inspect_picture and of the
    /// store.
    task<result<record_ptr>> upload(image_write_permit may, new_image image);

    /// The first half of upload(), for several images of which all are checked before one is stored. Errors:
    /// as upload(), without those of the store.
    task<result<checked_image>> check(image_write_permit may, new_image image);

    /// An image with this original, if the tenant has one. Error: not_found.
    task<result<record_ptr>> find_content(image_view_permit may, sha256_digest etag, content_wish wish);

    /// The second half of upload(), unless the tenant has an image with the same original already.
    /// Simultaneous calls for one content on this server store it once; those of several servers on a shared
    /// store may store it once each. Errors: those of the store; not_found where the tenant was deleted
    /// meanwhile.
    task<result<image_of_content>> store_once(image_write_permit may, checked_image image, content_wish wish);

    /// Replaces bytes, file name and descriptors; keeps id, key, title, public key and creation time. The
    /// last writer wins if @p check allows it. Errors: not_found and as upload().
    task<result<record_ptr>> replace(image_write_permit may, std::string key, picture_file file,
                                     record_check check);

    /// Errors: not_found, invalid_argument.
    task<result<record_ptr>> rename(image_write_permit may, std::string key, std::string title,
                                    record_check check);

    /// Replaces the tags. Errors: not_found, invalid_argument.
    task<result<record_ptr>> tag(image_write_permit may, std::string key, std::vector<std::string> tags,
                                 record_check check);

    /// Error: not_found.
    task<result<record_ptr>> publish(image_write_permit may, std::string key, bool is_public,
                                     record_check check);

    /// Stores an exported image. If its key exists in the tenant, that image is overwritten. It keeps its
    /// id, public key and creation time, and keeps title, sub type, file name, visibility and tags unless
    /// the document contains them. If the key is free, a new image gets it. Without a key, a new image gets
    /// the first free key for its file name. A new image has the exported public key if that is well-formed
    /// and free, and the exported creation time, and is public only if the document states that. @p check
    /// gets null for a new image. Errors: as upload().
    task<result<record_ptr>> import(image_write_permit may, resource_export exported, record_check check);

    /// Error: not_found.
    task<result<void>> erase(image_write_permit may, std::string key, record_check check);

    /// Erases all images of a tenant, of every sub type, and all their kept versions. Returns how many of
    /// both were erased.
    task<result<std::uint64_t>> erase_all(image_write_permit may);
    /// What the tenant's images and kept versions take.
    task<result<tenant_usage>> usage(usage_permit may);
    /// How many images erase_all() would erase now.
    task<result<std::uint64_t>> count(image_read_permit may);

    task<result<record_ptr>> find(image_view_permit may, std::string key);
    /// Error: not_found, also if the image exists and is not public.
    task<result<record_ptr>> find_public(std::string public_key);
    /// Error: stale if the record is no longer current; find it again.
    task<result<body>> read(record_ptr record, representation which);
    /// The answers of find(), find_public() and read() if they are in memory. Otherwise, and if the answer
    /// would be an error, empty. Synchronous.
    std::optional<record_ptr> find_now(const image_view_permit& may, std::string_view key);
    std::optional<record_ptr> find_public_now(std::string_view public_key);
    std::optional<body> read_now(const image_record& record, representation which);
    task<result<image_page>> list(image_read_permit may, image_query query);

private:
    using change_record = std::function<void(image_record&)>;

    task<result<void>> describe(picture_file& file, image_record& record, bytes& preview);
    task<result<record_ptr>> create(image_record record, bytes original, bytes preview, bool key_is_fixed);
    task<result<record_ptr>> overwrite(record_ptr current, image_record described, bytes original,
                                       bytes preview, change_record adopt, record_check check);
    task<result<record_ptr>> modify(image_write_permit may, std::string key, change_record change,
                                    record_check check);
    /// The error of a save that the store found to be over the tenant's limit.
    task<error> over_total(tenant_quota quota, image_record record, std::uint64_t replaced);
    /// Erases a new image again if its tenant was deleted meanwhile. Error: not_found if it was.
    task<result<void>> erase_if_tenant_deleted(record_ptr created);
    /// Called after each commit, before it is acknowledged.
    void forget(const image_record& record) noexcept;

    image_store& store_;
    cache::etag_cache& etags_;
    inspect_picture inspect_;
    tenant_check is_deleted_;
    const cache::freshness& fresh_;
    quotas quotas_;
    /// Of store_once(): one for each value of the first byte of a digest.
    std::array<async_mutex, 256> one_at_a_time_;
};

}  // namespace gallery::images
