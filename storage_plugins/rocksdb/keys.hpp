// SPDX-License-Identifier: Apache-2.0
/// Names of the stored data: column families and their keys. etc/doc/storage_plugins.md describes the layout.
/// A change here changes the format on disk.
#pragma once

#include <gallery/model.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::rocks {

/// Places in the engine's table of column families.
enum class family : std::uint8_t { meta, records, bodies, index, lookup, documents, changes };
inline constexpr std::size_t family_count = 7;
/// The first is RocksDB's own default family.
inline constexpr std::array<const char*, family_count> family_names = {
    "default", "records", "bodies", "index", "lookup", "documents", "changes"};

/// 1: version 0.1 of the gallery. 2: titles sorted by collation key, content and usage indexed, kept
/// versions. 3: bodies may be in files.
inline constexpr std::uint32_t format_version = 3;

/// Keys of the meta family.
inline constexpr std::string_view format_key = "m/format";
inline constexpr std::string_view revision_floor_key = "m/revision_floor";
inline constexpr std::string_view changes_trimmed_key = "m/changes_trimmed";
/// See body_files.hpp.
inline constexpr std::string_view files_watermark_key = "m/files_watermark";
/// Present while an upgrade or a rebuilding of the title lists is in progress.
inline constexpr std::string_view upgrade_key = "m/upgrade";
/// The collation_version() of the title lists, as text.
inline constexpr std::string_view collation_key_name = "m/collation";
inline constexpr std::string_view counter_prefix = "c/";
inline constexpr std::string_view usage_prefix = "u/";

/// One list order per letter.
enum class property : char { created_time = 'c', title = 'T', resource_key = 'k', size = 's', id = 'i' };
/// The title lists of format 1, which had folded titles as values.
inline constexpr char old_title_letter = 't';
inline constexpr std::array all_properties = {property::created_time, property::title, property::resource_key,
                                              property::size, property::id};

void append_big_endian(std::string& to, std::uint64_t value);
/// Precondition: at least 8 bytes.
std::uint64_t read_big_endian(std::string_view from) noexcept;
/// Maps signed to unsigned so that bytes compare like the numbers.
inline std::uint64_t ordered(std::int64_t value) noexcept {
    return static_cast<std::uint64_t>(value) ^ (1ULL << 63);
}

/// The 16 bytes of an identifier.
template <class Tag>
std::string_view raw(const basic_id<Tag>& id) noexcept {
    return {reinterpret_cast<const char*>(id.value.data), sizeof id.value.data};
}
/// The inverse. Precondition: at least 16 bytes.
template <class Id>
Id id_from(std::string_view bytes) noexcept {
    Id id;
    std::memcpy(id.value.data, bytes.data(), sizeof id.value.data);
    return id;
}

/// records: tenant, key.
std::string record_key(tenant_id tenant, std::string_view key);
/// bodies: image id, content revision, representation.
std::string body_key(image_id id, revision content_rev, representation which);
/// lookup: 'i' and the image id, or 'p' and the public key; the value is a record key.
std::string id_lookup_key(image_id id);
std::string public_lookup_key(std::string_view public_key);
/// lookup: 'c', tenant, SHA-256 of the original, image id; the value is a record key.
std::string content_lookup_prefix(tenant_id tenant, const sha256_digest& etag);
std::string content_lookup_key(const image_record& record);
/// lookup: 'v', image id, content revision; the value is a kept version.
std::string kept_key(image_id id, revision content_rev);
/// lookup: the orders of kept versions: 'o' of all, 't' of a tenant, 'k' of an image id, each followed by the
/// revision that kept the version; the value is a kept key.
std::string kept_order_prefix();
std::string kept_order_prefix(tenant_id tenant);
std::string kept_order_prefix(image_id id);
std::string kept_order_key(std::string prefix, revision kept_rev);
/// lookup: 'f', image id, content revision, representation; the value is the number of the file with these
/// bytes, if they are not in the bodies family.
std::string file_prefix(image_id id);
std::string file_key(image_id id, revision content_rev, representation which);
/// lookup: 'd' and the number of a file that is being removed; the value is image id and representation.
std::string removal_key(std::uint64_t number);
/// documents: kind, 0, id. An empty id gives the prefix of the kind.
std::string document_key(std::string_view kind, std::string_view id);
/// changes: revision.
std::string change_key(revision rev);
/// meta: number of a tenant's images of a sub type.
std::string counter_key(tenant_id tenant, image_sub_type sub_type);
/// meta: one of the figures of a tenant's usage.
inline constexpr std::size_t usage_figure_count = 6;
std::string usage_key(tenant_id tenant, std::size_t figure);

// ---- index: tenant, sub type, property letter, the property's value, image id -----------------------

inline constexpr std::size_t index_prefix_size = 18;
inline constexpr std::size_t id_size = 16;

std::string index_prefix(tenant_id tenant, image_sub_type sub_type, property which);
/// The smallest string that is greater than all strings with this prefix.
std::string after_prefix(std::string prefix);

struct index_entry {
    std::string key;
    std::string value;
    friend bool operator==(const index_entry&, const index_entry&) = default;
};

/// The value of a property in an index key: bytewise comparison gives the order of the property, and no value
/// is a prefix of another one.
std::string property_bytes(const image_record& record, property which);

/// All list entries of a record, one per property, in the order of all_properties.
std::vector<index_entry> index_entries(const image_record& record);

/// Parts of an index key; views into it.
struct index_key_view {
    tenant_id tenant;
    image_sub_type sub_type;
    char property_letter;
    std::string_view prefix;  ///< index_prefix_size bytes
    std::string_view value;   ///< property_bytes
    image_id id;
};
/// Empty if it is too short.
std::optional<index_key_view> parse_index_key(std::string_view key) noexcept;

/// The value of a title entry contains the data that a search sorts by and compares; all other values contain
/// only the image's key.
struct title_value {
    std::uint64_t created_time = 0;  ///< ordered()
    std::uint64_t size = 0;
    std::string_view folded_title;
    std::string_view image_key;
};
std::string make_title_value(const title_value& value);
std::optional<title_value> parse_title_value(std::string_view value) noexcept;

/// The entry of a title list.
index_entry title_entry(const image_record& record);

/// The image's key in an index entry; empty if the entry is malformed.
std::optional<std::string_view> image_key_of(char property_letter, std::string_view value) noexcept;

}  // namespace gallery::rocks
