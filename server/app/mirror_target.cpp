// SPDX-License-Identifier: Apache-2.0
#include "app/mirror_target.hpp"

#include "app/data_folder.hpp"
#include "plugins/host.hpp"
#include "plugins/options.hpp"

#include <gallery/sha256.hpp>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t folder_name_size = 32;

/// Always the same for the same address; it does not show what the address contains.
fs::path mirror_folder_of(const std::string& data_folder, const mirror::target_address& target) {
    std::string text = target.engine;
    for (const auto& [name, value] : target.options)
        text += '\0' + name + '\0' + value;
    return fs::path(data_folder) / mirror_folders / to_hex(sha256(text)).substr(0, folder_name_size);
}

bool is_within(const fs::path& path, const fs::path& folder) {
    const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    static_cast<void>(rest);
    return end == folder.end();
}

result<fs::path> resolved(const fs::path& path) {
    std::error_code failed;
    auto out = fs::weakly_canonical(path, failed);
    if (failed) {
        return error{errc::invalid_argument,
                     "the path '" + path.string() + "' cannot be used: " + failed.message()};
    }
    if (!out.has_filename()) out = out.parent_path();
    return out;
}

std::vector<std::string> parts_of(std::string_view list, char separator) {
    std::vector<std::string> out;
    while (!list.empty()) {
        const auto end = std::min(list.find(separator), list.size());
        if (end > 0) out.emplace_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return out;
}

result<void> check_allowed(const mirror_rules& rules, const fs::path& path) {
    auto allowed = parts_of(rules.allowed_paths, ':');
    if (allowed.empty()) allowed.push_back(rules.data_folder);
    bool is_allowed = false;
    for (const auto& each : allowed) {
        const auto folder = resolved(each);
        is_allowed = is_allowed || (folder && path != *folder && is_within(path, *folder));
    }
    if (!is_allowed) {
        return error{errc::permission_denied,
                     "a mirror may not be in '" + path.string() +
                         "'. An operator can allow other folders than those below the data folder with "
                         "MIRROR_ALLOWED_PATHS"};
    }
    const auto databases = rules.data_folder + "/" + mirror_folders;
    for (const auto& own : {rules.active_folder, rules.data_folder, databases}) {
        if (own.empty()) continue;
        const auto folder = resolved(own);
        if (!folder) return folder.error();
        if (is_within(*folder, path) || (own != rules.data_folder && is_within(path, *folder))) {
            return error{errc::invalid_argument,
                         "the folder '" + path.string() +
                             "' contains, or is in, the server's own store or data folder"};
        }
    }
    std::error_code failed;
    if (!fs::is_directory(path.parent_path(), failed)) {
        return error{errc::invalid_argument, "there is no folder '" + path.parent_path().string() +
                                                 "'. Create it, or mount its disk"};
    }
    return {};
}

}  // namespace

result<mirror::target_address> check_mirror_target(const mirror_rules& rules, mirror::target_address target) {
    if (target.engine.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
        std::string::npos) {
        return error{errc::invalid_argument,
                     "the engine '" + target.engine + "' is not the name of a storage plugin"};
    }
    if (target.path.empty()) return target;
    if (target.path.find('\0') != std::string::npos)
        return error{errc::invalid_argument, "the path contains a NUL character"};
    const auto path = resolved(fs::path(rules.data_folder) / target.path);
    if (!path) return path.error();
    if (auto allowed = check_allowed(rules, *path); !allowed) return allowed.error();
    target.path = path->string();
    return target;
}

confinement mirror_confinement(std::string_view hosts) {
    std::string list(hosts);
    std::erase(list, ' ');
    return {parts_of(list, ',')};
}

result<void> clean_mirror_folders(const std::string& data_folder,
                                  const std::vector<mirror::target_address>& kept) {
    const auto all = fs::path(data_folder) / mirror_folders;
    std::error_code failed;
    if (!fs::is_directory(all, failed)) return {};
    std::vector<fs::path> surplus;
    for (const auto& entry : fs::directory_iterator(all, failed)) {
        const bool is_kept = std::any_of(kept.begin(), kept.end(), [&](const auto& one) {
            return mirror_folder_of(data_folder, one) == entry.path();
        });
        const auto name = entry.path().filename().string();
        const bool is_ours = name.size() == folder_name_size &&
                             name.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (is_ours && !is_kept) surplus.push_back(entry.path());
    }
    for (const auto& each : surplus) {
        if (!failed) fs::remove_all(each, failed);
    }
    if (!failed) return {};
    return error{errc::io_error, "the folder of a former mirror in " + all.string() +
                                     " cannot be removed: " + failed.message()};
}

result<std::unique_ptr<storage_engine>> open_mirror_target(
    const std::string& plugin_dir, const std::string& data_folder, const mirror::target_address& target,
    bool may_create, std::optional<confinement> confined, log_function say) {
    const auto plugin = plugins::load_plugin(target.engine, plugin_dir);
    if (!plugin) return plugin.error();
    const bool shared = plugin->descriptor->shared;
    if (!shared && target.path.empty())
        return error{errc::invalid_argument, "the engine " + target.engine + " requires a path"};
    if (!shared) {
        if (auto checked = check_store_folder(plugin->descriptor->name, target.path); !checked)
            return checked.error();
        // A disk that is not mounted leaves an empty folder, in which an engine would begin a new store.
        if (!may_create && !is_filled_folder(target.path)) {
            return error{errc::not_found,
                         "there is no store in " + target.path +
                             ". Is its disk mounted? To begin again, start the mirror again"};
        }
    }
    config::storage_settings settings;
    settings.plugin_dir = plugin_dir;
    settings.plugin = plugin->file;
    settings.path = target.path;
    settings.sections[plugin->descriptor->name] =
        plugins::with_least_caches(*plugin->descriptor, target.options);
    if (shared) {
        const auto folder = mirror_folder_of(data_folder, target);
        if (auto above = prepare_folder(folder.parent_path().string(), true); !above) return above.error();
        settings.path = folder.string();
    }
    auto opened = open_unprobed(settings, "", may_create || shared, std::move(say), std::move(confined));
    if (!opened) return opened.error();
    return std::unique_ptr<storage_engine>(std::move(opened->store));
}

}  // namespace gallery::app
