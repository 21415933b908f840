// SPDX-License-Identifier: Apache-2.0
/// Values as stored on the disk: image records, kept versions, documents and changes. Records and changes
/// of format 1 can be read as well; such records get the creation time as their modified_time. Each value
/// begins with the version of its format and ends with a checksum over key and value. The checksum
/// detects damage, and a value that is stored under another key. etc/doc/storage_plugins.md describes the
/// bytes.
#pragma once

#include "keys.hpp"

#include <gallery/model.hpp>
#include <gallery/storage.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gallery::rocks {

/// CRC-32C (Castagnoli) of two pieces one after the other.
std::uint32_t crc32c(std::string_view first, std::string_view second) noexcept;

/// @p key is the record's key in the records family.
std::string encode_record(std::string_view key, const image_record& record);
/// Null if encode_record did not create the value for this key.
record_ptr decode_record(std::string_view key, std::string_view value);

/// @p key is the version's kept_key(). The record's rev and content_rev are stored with it.
std::string encode_kept(std::string_view key, const kept_version& version);
std::optional<kept_version> decode_kept(std::string_view key, std::string_view value);

/// @p key is the document's key in the documents family.
std::string encode_document(std::string_view key, const document& doc);
std::optional<document> decode_document(std::string_view key, std::string_view value);

/// @p key is the change's key in the changes family.
std::string encode_change(std::string_view key, const change& what);
std::optional<change> decode_change(std::string_view key, std::string_view value);

/// Numbers of the meta family, 8 bytes little-endian.
std::string encode_number(std::uint64_t value);
std::optional<std::uint64_t> decode_number(std::string_view value) noexcept;

}  // namespace gallery::rocks
