/// Where things are in the tree. etc/doc/storage_plugins.md describes it for people.
#pragma once

#include "names.hpp"

#include <gallery/model.hpp>

#include <string>
#include <string_view>

namespace gallery::file_store {

inline constexpr std::string_view own_folder = ".gallery";
inline constexpr std::string_view accounts_folder = ".gallery/accounts";
inline constexpr std::string_view changes_folder = ".gallery/changes";
inline constexpr std::string_view aside_folder = ".gallery/set-aside";
inline constexpr std::string_view reserve_folder = ".gallery/reserve";
inline constexpr std::string_view lock_file = ".gallery/lock";
inline constexpr std::string_view format_file = ".gallery/format";
inline constexpr std::string_view format_text = "gallery filesystem store 1\n";

inline std::string folder_of(const tenant_id& tenant, std::string_view key) {
    return to_string(tenant) + '/' + folder_name(key);
}

inline std::string accounts_of(std::string_view kind) {
    return std::string(accounts_folder) + '/' + std::string(kind);
}
inline std::string document_name(std::string_view id) {
    return std::string(id) + ".json";
}

}  // namespace gallery::file_store
