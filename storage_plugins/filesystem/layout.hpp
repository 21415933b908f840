// SPDX-License-Identifier: Apache-2.0
/// Paths in the tree. etc/doc/storage_plugins.md describes them.
#pragma once

#include "names.hpp"

#include <gallery/storage.hpp>

#include <string>
#include <string_view>

namespace gallery::file_store {

inline constexpr std::string_view own_folder = ".gallery";
inline constexpr std::string_view accounts_folder = ".gallery/accounts";
inline constexpr std::string_view changes_folder = ".gallery/changes";
inline constexpr std::string_view journal_folder = ".gallery/journal";
inline constexpr std::string_view aside_folder = ".gallery/set-aside";
inline constexpr std::string_view reserve_folder = ".gallery/reserve";
inline constexpr std::string_view lock_file = ".gallery/lock";
inline constexpr std::string_view format_file = ".gallery/format";
/// Both have the same length, so an upgrade writes one byte in place, also on a full disk.
inline constexpr std::string_view format_text = "gallery filesystem store 2\n";
inline constexpr std::string_view first_format_text = "gallery filesystem store 1\n";

inline std::string folder_of(const tenant_id& tenant, std::string_view key) {
    return to_string(tenant) + '/' + folder_name(key);
}

inline std::string folder_of(const kept_version& version) {
    return to_string(version.record->tenant) + '/' + kept_name(version);
}

inline std::string accounts_of(std::string_view kind) {
    return std::string(accounts_folder) + '/' + std::string(kind);
}
inline std::string document_name(std::string_view id) {
    return std::string(id) + ".json";
}
inline std::string path_of(const document& doc) {
    return accounts_of(doc.kind) + '/' + document_name(doc.id);
}
/// @p first: the revision of its first part.
inline std::string journal_path(revision first) {
    return std::string(journal_folder) + '/' + padded(first) + ".json";
}

}  // namespace gallery::file_store
