// SPDX-License-Identifier: Apache-2.0
/// What a gallery consists of: image records, pages of them, and the queries that ask for pages.
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

/// Grows with every write to a store and is never given out twice there, also not after a deletion, a
/// crash or a restart. 0 is no revision.
using revision = std::uint64_t;

enum class image_sub_type : std::uint8_t { image = 0, scada_symbol = 1 };

/// Which bytes of an image are meant.
enum class representation : std::uint8_t { original = 0, preview = 1 };

/// What is known about the bytes of one representation.
struct body_descriptor {
    std::string media_type;   ///< as sniffed, for instance "image/png"
    std::uint32_t width = 0;  ///< pixels; 0 where the picture has no size of its own
    std::uint32_t height = 0;
    std::uint64_t size = 0;  ///< bytes
    sha256_digest etag{};    ///< of the bytes

    friend bool operator==(const body_descriptor&, const body_descriptor&) = default;
};

/// One image without its bytes. Strings are UTF-8 without NUL; key, title and file name have at most 255
/// characters (1,020 bytes) each, which the server checks before a store sees them.
struct image_record {
    image_id id;
    tenant_id tenant;
    std::string key;  ///< unique within the tenant, never changes; data, not a path
    std::string title;
    std::string file_name;
    image_sub_type sub_type = image_sub_type::image;
    bool is_public = false;
    /// 32 alphanumerics, unique within the store. The server keeps it for as long as the image is there; a
    /// store takes the one that a save brings, and the one before it is free then, as after an erasure.
    std::string public_key;
    std::int64_t created_time = 0;   ///< milliseconds since 1970-01-01T00:00Z
    std::int64_t modified_time = 0;  ///< likewise, of the last save or update; set by the server
    /// At most 16 of 1 to 64 characters (256 bytes) each, sorted bytewise, none twice; the server checks
    /// this.
    std::vector<std::string> tags;
    body_descriptor original;
    body_descriptor preview;
    bool preview_is_original = false;  ///< the preview is the original's very bytes and is not stored again

    revision rev = 0;          ///< of this record; set by the store
    revision content_rev = 0;  ///< of the save that wrote the bytes; set by the store

    [[nodiscard]] const body_descriptor& descriptor(representation which) const noexcept {
        return which == representation::preview && !preview_is_original ? preview : original;
    }

    friend bool operator==(const image_record&, const image_record&) = default;
};

/// Records are shared and never changed: a store may hand out the same one to many readers.
using record_ptr = std::shared_ptr<const image_record>;

enum class image_sort : std::uint8_t {
    created_time,
    title,          ///< by collation_key(title), bytewise
    resource_key,   ///< bytewise
    size,           ///< of the original
    resource_type,  ///< the same for all images, so by id
    tenant,         ///< by tenant id bytewise
};

/// Which of the images a page is about. Every member has to hold; the defaults hold for all images.
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

/// Where text_search looks.
enum class search_scope : std::uint8_t {
    title,  ///< in the title
    names,  ///< in the title, the key and the file name; one of them has to contain the text
};

/// One page of one tenant's images.
struct image_query {
    tenant_id tenant;
    /// Adds the system images whose key no image of the tenant has, whatever the sub type of that image and
    /// whether it passes the filter.
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

/// How many of something, and how large they are together.
struct usage_figures {
    std::uint64_t count = 0;
    std::uint64_t original_bytes = 0;
    std::uint64_t preview_bytes = 0;  ///< of previews that are stored, not of those that are the original

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
