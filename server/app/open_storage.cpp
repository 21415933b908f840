// SPDX-License-Identifier: Apache-2.0
#include "app/open_storage.hpp"

#include "app/data_folder.hpp"
#include "app/log.hpp"
#include "plugins/host.hpp"
#include "plugins/options.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>
#include <vector>

namespace gallery::app {

namespace {

/// A store that answers a handful of small requests more slowly than this is not one to serve from.
constexpr std::chrono::seconds probe_deadline{60};

/// The folder of the engine's own.
result<prepared_folder> folder_of(const config::storage_settings& settings, const std::string& name,
                                  const std::string& data_folder, bool may_create) {
    const std::string path = settings.path.empty() ? data_folder + "/" + name : settings.path;
    if (std::error_code failed; !may_create && !std::filesystem::is_directory(path, failed)) {
        if (failed == std::errc::permission_denied) {
            if (auto owned = check_owner(data_folder); !owned) return owned.error();
            return error{errc::permission_denied, "the folder " + path +
                                                      " is not accessible: " + failed.message() +
                                                      ". Run the command as the server's user"};
        }
        return error{errc::not_found,
                     "there is no folder " + path +
                         ", so there is no store. Set GALLERY_DATA or STORAGE_PATH to its location"};
    }
    return prepare_folder(path, settings.path.empty() && is_data_folder(data_folder));
}

/// The entries by which a store of one of the project's engines is recognised, also one whose creation was
/// interrupted. Those of other engines are not known.
std::vector<std::string_view> signs_of(std::string_view engine) {
    if (engine == "filesystem") return {".gallery"};
    if (engine == "rocksdb") return {"db/CURRENT", "acknowledged", "reserve"};
    return {};
}

task<result<void>> noting_refusal(task<result<void>> asked, std::shared_ptr<bool> is_refused) {
    auto permitted = co_await std::move(asked);
    *is_refused = !permitted;
    co_return permitted;
}

}  // namespace

std::string store_name(const plugin_descriptor& plugin, const std::map<std::string, std::string>& options,
                       const std::string& folder) {
    std::string name = std::string(plugin.name) + ":";
    if (!plugin.shared) return name + folder;
    const auto declared = plugins::declared_options(plugin);
    if (!declared) return name;
    for (const auto& one : *declared) {
        const auto given = options.find(one.name);
        if (one.secret || given == options.end()) continue;
        name += (name.ends_with(':') ? "" : ",") + one.name + "=" + given->second;
    }
    return name;
}

result<void> check_store_folder(std::string_view engine, const std::string& folder) {
    const auto signs = signs_of(engine);
    std::error_code failed;
    const std::filesystem::path path(folder);
    if (signs.empty() || !std::filesystem::is_directory(path, failed)) return {};
    if (std::filesystem::is_empty(path, failed) || failed) return {};
    const bool is_known = std::any_of(signs.begin(), signs.end(), [&path](std::string_view sign) {
        std::error_code ignored;
        return std::filesystem::exists(path / sign, ignored);
    });
    if (is_known) return {};
    return error{errc::invalid_argument, "the folder " + folder + " contains other files and no store of " +
                                             std::string(engine) + ". Choose an empty folder"};
}

result<unprobed_store> open_unprobed(const config::storage_settings& settings, const std::string& data_folder,
                                     bool may_create, log_function say, std::optional<confinement> confined) {
    const auto plugin = plugins::load_plugin(settings.plugin, settings.plugin_dir);
    if (!plugin) return plugin.error();
    const std::string name = plugin->descriptor->name;
    if (confined && !plugin->descriptor->confines) {
        return error{errc::invalid_argument,
                     "the storage plugin " + name +
                         " cannot be used for a mirror, because it does not confine itself to its options"};
    }

    // A server may be using its folder for a store that the options name.
    const auto own =
        !may_create && plugin->descriptor->shared ? std::make_shared<temporary_folder>() : nullptr;
    if (own && own->path().empty())
        return error{errc::io_error, "a folder for temporary files cannot be created (TMPDIR)"};
    auto folder = own ? result<prepared_folder>(prepared_folder{own->path(), {}})
                      : folder_of(settings, name, data_folder, may_create);
    if (!folder) return folder.error();

    plugin_context context;
    context.path = folder->path;
    context.confined = std::move(confined);
    if (const auto section = settings.sections.find(name); section != settings.sections.end()) {
        context.options = section->second;
    }
    context.log = [name, say](log_level level, std::string_view text) {
        say(level, "storage " + name + ": " + std::string(text));
    };
    // Before, since a plugin may take its time, or all of it.
    say(log_level::info, "opening the store in " + folder->path + " with the storage plugin " + name + " (" +
                             plugin->file + ")");
    std::string named = store_name(*plugin->descriptor, context.options, folder->path);
    plugins::secret_texts secrets(*plugin->descriptor, context.options);
    auto store = plugins::open_store(*plugin, std::move(context));
    if (!store) return store.error();
    unprobed_store opened;
    opened.folder_of_its_own = own;
    opened.store = std::make_unique<plugins::measured_engine>(std::move(*store), name, std::move(secrets));
    opened.plugin = plugin->file;
    opened.descriptor = plugin->descriptor;
    opened.engine = name;
    opened.folder = folder->path;
    opened.name = std::move(named);
    opened.description = name + " " + plugin->descriptor->version + (own ? "" : " in " + folder->path);
    opened.note = std::move(folder->note);
    opened.shared = plugin->descriptor->shared;
    return opened;
}

result<opened_storage> open_storage(const config::storage_settings& settings, const std::string& data_folder,
                                    plugins::probe_permission may_write) {
    auto store = open_unprobed(settings, data_folder, true, &log);
    if (!store) return store.error();
    if (!store->note.empty()) log_warning(store->note);

    opened_storage opened;
    opened.changes = std::make_shared<change_signal>();
    // Before the first write, which is the probe's.
    store->store->feed().on_change([changes = opened.changes] { changes->notify(); });
    log_info("probing the store: " + store->description);
    // The coroutine is never destroyed after a timeout, so what it refers to is shared.
    const auto is_refused = std::make_shared<bool>(false);
    auto ask = [may_write = std::move(may_write), is_refused](document_store& opening) -> task<result<void>> {
        return noting_refusal(may_write(opening), is_refused);
    };
    auto probed = plugins::probe(std::move(store->store), store->shared, probe_deadline, std::move(ask));
    if (!probed && *is_refused) return probed.error();
    if (!probed) {
        // Whatever the engine calls it: this store cannot be used, which is neither the configuration's fault
        // nor the server's.
        return error{errc::unavailable, "the storage plugin " + store->plugin + " with the data in " +
                                            store->folder + " cannot be used: " + probed.error().message};
    }
    if (!probed->unwritable.empty()) {
        log_warning("the store is served, but it does not accept writes: " + probed->unwritable);
    }
    opened.store = std::move(probed->store);
    opened.description = std::move(store->description);
    opened.engine = std::move(store->engine);
    opened.folder = std::move(store->folder);
    opened.name = std::move(store->name);
    opened.shared = store->shared;
    opened.plugin = store->descriptor;
    opened.found = probed->found;
    return opened;
}

}  // namespace gallery::app
