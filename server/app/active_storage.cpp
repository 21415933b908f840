// SPDX-License-Identifier: Apache-2.0
#include "app/active_storage.hpp"

#include "app/data_folder.hpp"
#include "app/open_storage.hpp"
#include "mirror/identity.hpp"
#include "mirror/run_to_end.hpp"
#include "mirror/same_folder.hpp"
#include "mirror/superseded.hpp"
#include "plugins/host.hpp"

#include <gallery/clock.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

namespace gallery::app {

namespace {

namespace fs = std::filesystem;

std::string place_of(const mirror::target_address& where) {
    return where.path.empty() ? "the database of " + where.engine : where.path;
}

enum class naming : std::uint8_t { same, other, uncertain };

/// Whether the configuration names the store. Its plugin may be missing: then it does not.
naming compare_configured(const config::storage_settings& configured, const std::string& data_folder,
                          const mirror::known_store& store) {
    const auto plugin = plugins::load_plugin(configured.plugin, configured.plugin_dir);
    if (!plugin || plugin->descriptor->name != store.plugin) return naming::other;
    if (plugin->descriptor->shared) {
        // The store is where its options say.
        const auto section = configured.sections.find(store.plugin);
        const auto& given = store.address.options;
        const bool is_same = section != configured.sections.end() &&
                             std::all_of(given.begin(), given.end(), [&section](const auto& option) {
                                 const auto same = section->second.find(option.first);
                                 return same != section->second.end() && same->second == option.second;
                             });
        return is_same ? naming::same : naming::uncertain;
    }
    const std::string path = configured.path.empty() ? data_folder + "/" + store.plugin : configured.path;
    return mirror::is_same_folder(path, store.address.path) ? naming::same : naming::other;
}

}  // namespace

std::string active_storage::note() const {
    if (is_configured) return {};
    if (is_uncertain) {
        return "chosen by the switch of " + utc_text(decided->since) + " (" + file +
               "). If the store of the configuration is the same one, its options apply at the start";
    }
    return "chosen by the switch of " + utc_text(decided->since) + " (" + file +
           "); STORAGE_PLUGIN=" + configured_plugin +
           " of the configuration does not apply until gallery-admin reinstate is run";
}

result<void> active_storage::require_store() const {
    if (!decided || decided->now.address.path.empty()) return {};  // a database is asked when it is opened
    if (is_filled_folder(decided->now.address.path)) return {};
    return error{errc::not_found, "there is no store in " + decided->now.address.path +
                                      ", from which the server serves since the switch of " +
                                      utc_text(decided->since) + " (" + file +
                                      "). Mount its disk, or restore it. To serve from the store of the "
                                      "configuration instead, run gallery-admin reinstate"};
}

result<active_storage> find_active_storage(const config::storage_settings& configured,
                                           const std::string& data_folder) {
    active_storage out;
    out.settings = configured;
    out.configured_plugin = configured.plugin;
    out.file = data_folder + "/" + mirror::active_store_file;
    auto decided = mirror::read_active_store(out.file);
    if (!decided) {
        // Somebody else's folder: whose it is says more than the name of a file.
        if (auto owned = check_owner(data_folder); !owned) return owned.error();
        return decided.error();
    }
    if (!decided->has_value()) return out;
    out.decided = std::move(*decided);
    const auto& now = out.decided->now;
    const auto named = compare_configured(configured, data_folder, now);
    out.is_configured = named == naming::same;
    out.is_uncertain = named == naming::uncertain;
    if (!out.is_configured) {
        out.settings.plugin = now.address.engine;
        out.settings.path = now.address.path;
        out.settings.sections[now.plugin] = now.address.options;
    }
    return out;
}

void ask_configured_store(active_storage& chosen, const config::storage_settings& configured) {
    if (!chosen.is_uncertain) return;
    chosen.is_uncertain = false;
    asio::io_context context{1};  // outlives the store, whose threads post to it
    constexpr bool may_create = false;
    const auto opened = open_unprobed(configured, "", may_create, [](log_level, std::string_view) {});
    if (!opened) return;
    const auto identity = mirror::run_to_end(context, mirror::find_identity(opened->store->documents()));
    if (!identity || *identity != chosen.decided->now.identity) return;
    chosen.is_configured = true;
    chosen.settings = configured;
}

error not_current(const mirror::successor& by) {
    const auto where = by.engine + ":" + by.path;
    if (!by.node.empty()) {
        return {errc::unavailable,
                "the server with the id " + by.node +
                    " (node-id in its data folder) switches between this "
                    "store and " +
                    where +
                    ", or was interrupted while it did. Wait until it has ended, or start "
                    "that server. If it is lost, run gallery-admin reinstate to use this store as it is"};
    }
    return {errc::unavailable,
            "this store is not the current one: the server was switched to " + where + " on " +
                utc_text(by.since) +
                ", and what was written since then is there. Start the server with the data folder that "
                "contains " +
                mirror::active_store_file +
                ", or set STORAGE_PLUGIN and STORAGE_PATH to that store. To serve from this one again and "
                "lose what it does not contain, run gallery-admin reinstate"};
}

task<result<void>> require_current_store(document_store& opened, active_storage chosen, std::string node) {
    const auto successor = co_await mirror::find_successor(opened);
    const bool is_claimed = successor && successor->has_value() && (*successor)->node == node;
    if (chosen.decided) {
        const auto identity = co_await mirror::find_identity(opened);
        if (!identity) co_return identity.error();
        const auto& wanted = chosen.decided->now;
        if (*identity != wanted.identity) {
            co_return error{
                errc::unavailable,
                "the store in " + place_of(wanted.address) +
                    " is another one than the store to which the server was switched on " +
                    utc_text(chosen.decided->since) + " (" + chosen.file +
                    "). Mount the right disk, or restore the store. To serve from the store of the "
                    "configuration instead, run gallery-admin reinstate"};
        }
        // Another server may have left a store since then, if it could be shared. What this server's own
        // switch leaves there is its claim, also if the store was left for the one before at an earlier time.
        if (wanted.address.path.empty() && successor && successor->has_value() && !is_claimed)
            co_return not_current(**successor);
        co_return result<void>();
    }
    if (!successor) co_return successor.error();
    if (successor->has_value() && !is_claimed) co_return not_current(**successor);
    co_return result<void>();
}

task<result<void>> check_active_storage(document_store& opened, active_storage chosen, std::string node) {
    const bool is_decided = chosen.decided.has_value();
    auto checking = require_current_store(opened, std::move(chosen), node);
    if (auto current = co_await std::move(checking); !current) co_return current;
    if (is_decided) co_return co_await mirror::release_store(opened);
    const auto successor = co_await mirror::find_successor(opened);
    if (!successor) co_return successor.error();
    if (!successor->has_value()) co_return result<void>();
    // This server had not decided its switch when it was interrupted. If the store was the target, what an
    // earlier switch has noted there applies again.
    if (auto given = co_await mirror::give_back_store(opened, std::move(node)); !given) co_return given;
    const auto before = co_await mirror::find_successor(opened);
    if (!before) co_return before.error();
    if (before->has_value()) co_return not_current(**before);
    co_return result<void>();
}

}  // namespace gallery::app
