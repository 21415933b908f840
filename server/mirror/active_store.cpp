// SPDX-License-Identifier: Apache-2.0
#include "mirror/active_store.hpp"

#include "mirror/address_json.hpp"
#include "mirror/json_members.hpp"
#include "mirror/private_file.hpp"

#include <filesystem>
#include <utility>

namespace gallery::mirror {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

json::object to_object(known_store value, const fs::path& folder) {
    const auto relative = fs::path(value.address.path).lexically_relative(folder);
    if (!relative.empty() && *relative.begin() != ".." && relative != ".")
        value.address.path = relative.string();
    json::object out;
    put_address(out, value.address);
    out["plugin"] = value.plugin;
    out["identity"] = value.identity;
    return out;
}

std::optional<known_store> to_store(const json::object& from, const char* name, const fs::path& folder) {
    const auto* members = from.if_contains(name);
    if (members == nullptr || !members->is_object()) return std::nullopt;
    auto address = address_member(members->get_object());
    const auto plugin = text_member(members->get_object(), "plugin");
    const auto identity = text_member(members->get_object(), "identity");
    if (!address || !plugin || !identity) return std::nullopt;
    // Without a folder, the options name the store.
    if (address->path.empty() && address->options.empty()) return std::nullopt;
    if (!address->path.empty()) address->path = (folder / address->path).string();
    return known_store{std::move(*address), *plugin, *identity};
}

std::optional<active_store> parse(std::string_view text, const fs::path& folder) {
    const auto members = object_in(text);
    if (!members) return std::nullopt;
    auto now = to_store(*members, "now", folder);
    auto before = to_store(*members, "before", folder);
    const auto since = number_member(*members, "since");
    if (!now || !before || !since) return std::nullopt;
    return active_store{std::move(*now), std::move(*before), *since};
}

fs::path folder_of(const std::string& path) {
    return fs::path(path).parent_path();
}

}  // namespace

result<void> write_active_store(const std::string& path, const active_store& value) {
    json::object out;
    out["now"] = to_object(value.now, folder_of(path));
    out["before"] = to_object(value.before, folder_of(path));
    out["since"] = value.since;
    return write_private_file(path, json::serialize(out) + "\n");
}

result<std::optional<active_store>> read_active_store(const std::string& path) {
    const auto text = read_private_file(path);
    if (!text) return text.error();
    if (!text->has_value()) return std::optional<active_store>();
    auto value = parse(**text, folder_of(path));
    if (!value) {
        return error{
            errc::corrupt,
            path +
                " cannot be read, so it is not known from which store the server serves. Restore the "
                "file. If you know the store, remove the file and set STORAGE_PLUGIN and "
                "STORAGE_PATH to it"};
    }
    return value;
}

}  // namespace gallery::mirror
