// SPDX-License-Identifier: Apache-2.0
#include "app/open_storage.hpp"

#include "app/data_folder.hpp"
#include "app/log.hpp"
#include "plugins/host.hpp"
#include "plugins/probe.hpp"

#include <chrono>
#include <filesystem>
#include <utility>

namespace gallery::app {

namespace {

/// A store that answers a handful of small requests more slowly than this is not one to serve from.
constexpr std::chrono::seconds probe_deadline{60};

config::log_level level_of(plugin_context::log_level level) noexcept {
    switch (level) {
        case plugin_context::log_level::debug:
            return config::log_level::debug;
        case plugin_context::log_level::info:
            return config::log_level::info;
        case plugin_context::log_level::warning:
            return config::log_level::warning;
        case plugin_context::log_level::error:
            return config::log_level::error;
    }
    return config::log_level::error;
}

}  // namespace

result<unprobed_store> open_unprobed(const config::storage_settings& settings, const std::string& data_folder,
                                     bool may_create,
                                     std::function<void(config::log_level, std::string_view)> say) {
    const auto plugin = plugins::load_plugin(settings.plugin, settings.plugin_dir);
    if (!plugin) return plugin.error();
    const std::string name = plugin->descriptor->name;

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
    auto folder = prepare_folder(path, settings.path.empty() && is_data_folder(data_folder));
    if (!folder) return folder.error();

    plugin_context context;
    context.path = folder->path;
    if (const auto section = settings.sections.find(name); section != settings.sections.end()) {
        context.options = section->second;
    }
    context.log = [name, say](plugin_context::log_level level, std::string_view text) {
        say(level_of(level), "storage " + name + ": " + std::string(text));
    };
    // Before, since a plugin may take its time, or all of it.
    say(config::log_level::info, "opening the store in " + folder->path + " with the storage plugin " + name +
                                     " (" + plugin->file + ")");
    plugins::secret_texts secrets(*plugin->descriptor, context.options);
    auto store = plugins::open_store(*plugin, std::move(context));
    if (!store) return store.error();
    return unprobed_store{
        std::make_unique<plugins::measured_engine>(std::move(*store), name, std::move(secrets)), plugin->file,
        folder->path, name + " " + plugin->descriptor->version + " in " + folder->path,
        std::move(folder->note)};
}

result<opened_storage> open_storage(const config::storage_settings& settings,
                                    const std::string& data_folder) {
    auto store = open_unprobed(settings, data_folder, true,
                               [](config::log_level level, std::string_view text) { log(level, text); });
    if (!store) return store.error();
    if (!store->note.empty()) log_warning(store->note);

    opened_storage opened;
    opened.changes = std::make_shared<change_signal>();
    // Before the first write, which is the probe's.
    store->store->feed().on_change([changes = opened.changes] { changes->notify(); });
    log_info("probing the store: " + store->description);
    auto probed = plugins::probe(std::move(store->store), probe_deadline);
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
    return opened;
}

}  // namespace gallery::app
