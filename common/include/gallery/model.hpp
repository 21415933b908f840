// SPDX-License-Identifier: Apache-2.0
/// The model of a gallery: image records, pages of records, and queries for pages.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/sha256.hpp>
#include <gallery/uuid.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gallery {

/// Increases with every write to a store and is never reused there, also not after a deletion, a crash or a
/// restart. 0 is not a revision.
using revision = std::uint64_t;

enum class image_sub_type : std::uint8_t { image = 0, scada_symbol = 1 };

/// One of the two bodies of an image.
enum class representation : std::uint8_t { original = 0, preview = 1 };

/// The description of the bytes of one representation.
struct body_descriptor {
    std::string media_type;   ///< as sniffed, for instance "image/png"
    std::uint32_t width = 0;  ///< pixels; 0 if the image has no size of its own
    std::uint32_t height = 0;
    std::uint64_t size = 0;  ///< bytes
    sha256_digest etag{};    ///< of the bytes

    friend bool operator==(const body_descriptor&, const body_descriptor&) = default;
};

/// One image without its bytes. Strings are UTF-8 without NUL. Key, title and file name have at most 255
/// characters (1,020 bytes) each; the server checks this before it calls a store.
struct image_record {
    image_id id;
    tenant_id tenant;
    std::string key;  ///< unique within the tenant, never changes; data, not a path
    std::string title;
    std::string file_name;
    image_sub_type sub_type = image_sub_type::image;
    bool is_public = false;
    /// 32 alphanumerics, unique within the store. The server keeps it for the lifetime of the image. A store
    /// takes the public key of each save; the previous one is then free, as after an erasure.
    std::string public_key;
    std::int64_t created_time = 0;   ///< milliseconds since 1970-01-01T00:00Z
    std::int64_t modified_time = 0;  ///< likewise, of the last save or update; set by the server
    /// At most 16 tags of 1 to 64 characters (256 bytes) each, sorted bytewise, without duplicates. The
    /// server checks this.
    std::vector<std::string> tags;
    body_descriptor original;
    body_descriptor preview;
    bool preview_is_original = false;  ///< the preview is the original and is not stored again

    revision rev = 0;          ///< of this record; set by the store
    revision content_rev = 0;  ///< of the save that wrote the bytes; set by the store

    [[nodiscard]] const body_descriptor& descriptor(representation which) const noexcept {
        return which == representation::preview && !preview_is_original ? preview : original;
    }

    friend bool operator==(const image_record&, const image_record&) = default;
};

/// Records are shared and never changed: a store may return the same one to many readers.
using record_ptr = std::shared_ptr<const image_record>;

enum class image_sort : std::uint8_t {
    created_time,
    title,          ///< by collation_key(title), bytewise
    resource_key,   ///< bytewise
    size,           ///< of the original
    resource_type,  ///< the same for all images, so by id
    tenant,         ///< by tenant id bytewise
};

/// Restricts a page to some images. All members must match; the defaults match all images.
struct image_filter {
    std::vector<std::string> tags;         ///< the record has all of these; compared bytewise
    std::vector<std::string> media_types;  ///< the original has one of these, compared bytewise; empty: any
    std::optional<bool> is_public;
    std::int64_t created_from = std::numeric_limits<std::int64_t>::min();  ///< created_time is at least this
    std::int64_t created_to = std::numeric_limits<std::int64_t>::max();    ///< and at most this
    std::uint64_t size_from = 0;                                           ///< original.size is at least this
    std::uint64_t size_to = std::numeric_limits<std::uint64_t>::max();     ///< and at most this

    friend bool operator==(const image_filter&, const image_filter&) = default;
};

/// The fields that text_search compares.
enum class search_scope : std::uint8_t {
    title,  ///< in the title
    names,  ///< in the title, the key and the file name; one of them must contain the text
};

/// One page of one tenant's images.
struct image_query {
    tenant_id tenant;
    /// Adds the system images, except those with a key that an image of the tenant has, regardless of the sub
    /// type of that image and of the filter.
    bool include_system = false;
    image_sub_type sub_type = image_sub_type::image;
    std::string text_search;  ///< images whose folded text contains this, folded; empty means all
    search_scope search_in = search_scope::title;
    image_filter filter;
    image_sort sort = image_sort::created_time;
    bool descending = false;  ///< of the sort property; ties are always by id, ascending, bytewise
    std::uint64_t page = 0;
    std::uint32_t page_size = 10;  ///< at least 1
};

/// A number of images or versions, and the sums of their sizes.
struct usage_figures {
    std::uint64_t count = 0;
    std::uint64_t original_bytes = 0;
    std::uint64_t preview_bytes = 0;  ///< of stored previews only, not of preview_is_original

    friend bool operator==(const usage_figures&, const usage_figures&) = default;
};

struct tenant_usage {
    usage_figures images;  ///< current records
    usage_figures kept;    ///< kept versions

    friend bool operator==(const tenant_usage&, const tenant_usage&) = default;
};

struct image_page {
    std::vector<record_ptr> images;
    std::uint64_t total = 0;  ///< of all pages, exact at the moment of the call
};

}  // namespace gallery
