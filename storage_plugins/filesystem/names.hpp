// SPDX-License-Identifier: Apache-2.0
/// Names of files and folders. Pure functions. etc/doc/storage_plugins.md describes the layout for
/// operators.
#pragma once

#include <gallery/storage.hpp>
#include <gallery/uuid.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::file_store {

/// The folder of an image with this key, at most 255 bytes. It is the key itself if that consists of
/// lower-case ASCII letters, digits and harmless punctuation. Otherwise it is a readable form of the key, '~'
/// and 24 characters of its hash. Two keys have two names, also in a file system that does not distinguish
/// case or Unicode normalisation. It never starts with a dot, unlike all names of the engine.
std::string folder_name(std::string_view key);

/// "original.jpg", "preview.png".
std::string body_name(const image_record& record, bool preview);

inline constexpr std::string_view record_name = "record.json";

/// Prefixes of entries that are not current images: writes and erasures in progress, and kept versions.
inline constexpr std::string_view temporary_prefix = ".tmp-";
inline constexpr std::string_view replaced_prefix = ".old-";
inline constexpr std::string_view erased_prefix = ".erased-";
inline constexpr std::string_view dropped_prefix = ".dropped-";
inline constexpr std::string_view kept_prefix = ".kept-";

std::string temporary_name();
std::string replaced_name();
/// Contains the revision of the erasure, so that it survives a crash for the feed. @p what distinguishes two
/// of them for operators.
std::string erased_name(revision rev, std::string_view what);
/// Of a kept version that is dropped.
std::string dropped_name(revision rev, std::string_view what);
/// The revision in such a name, of either kind.
std::optional<revision> erased_revision(std::string_view name);

/// The data in the name of a kept version's folder, so that keeping one is a rename.
struct kept_facts {
    revision kept_rev = 0;
    std::int64_t kept_time = 0;
    bool is_erased = false;
    bool is_copy = false;  ///< stored by save_kept(): its record has the revision of that write
};
/// ".kept-<20 digits>-<milliseconds>-replaced", "-erased", "-copied" or "-copied-erased".
std::string kept_name(const kept_facts& facts);
std::string kept_name(const kept_version& version);
std::optional<kept_facts> parse_kept_name(std::string_view name);

/// 20 digits, so that names sort as numbers do.
std::string padded(revision rev);
std::optional<std::uint64_t> parse_number(std::string_view digits);

}  // namespace gallery::file_store
