// SPDX-License-Identifier: Apache-2.0
#include "admin/store_address.hpp"

#include "app/configuration_file.hpp"
#include "plugins/host.hpp"

#include <gallery/files.hpp>

#include <cstdio>
#include <filesystem>
#include <utility>

namespace gallery::admin {

namespace {

failure ended_by(const error& e) {
    return failure{static_cast<exit_code>(app::exit_code_of(e.code)), e.message};
}

void print_warning(log_level level, std::string_view text) {
    if (level < log_level::warning) return;
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

/// For secrets, since every user of the machine can read the arguments of a process.
outcome<std::string> value_in_file(const std::string& file) {
    auto value = gallery::read_file(file);
    if (!value) return failure{exit_code::usage, value.error().message};
    if (value->ends_with('\n')) value->pop_back();
    if (value->ends_with('\r')) value->pop_back();
    return std::move(*value);
}

bool is_empty_folder(const std::string& path) {
    std::error_code failed;
    return std::filesystem::is_empty(path, failed) && !failed;
}

outcome<app::unprobed_store> open(const store_address& address, config::storage_settings settings,
                                  const plugins::loaded_plugin& plugin, bool may_create) {
    const std::string name = plugin.descriptor->name;
    auto& section = settings.sections[name];
    for (const auto& [option, value] : address.options)
        section[option] = value;
    settings.plugin = plugin.file;
    settings.path = address.path;
    auto opened = app::open_unprobed(settings, "", may_create && !plugin.descriptor->shared, &print_warning);
    if (!opened) return ended_by(opened.error());
    if (!opened->note.empty()) print_warning(log_level::warning, opened->note);
    return std::move(*opened);
}

outcome<plugins::loaded_plugin> load(store_address& address, const config::storage_settings& settings) {
    auto plugin = plugins::load_plugin(address.plugin, settings.plugin_dir);
    if (!plugin) return ended_by(plugin.error());
    if (address.path.empty() && !plugin->descriptor->shared) {
        return failure{exit_code::usage,
                       "'" + address.text() + "' contains no folder; write " + address.plugin + ":FOLDER"};
    }
    if (!address.path.empty()) {
        std::error_code failed;
        address.path = std::filesystem::weakly_canonical(address.path, failed).string();
        if (failed) return failure{exit_code::configuration, "cannot find " + address.path};
    }
    return *plugin;
}

}  // namespace

outcome<std::map<std::string, std::string>> parse_store_options(const std::vector<std::string>& options) {
    std::map<std::string, std::string> out;
    for (const auto& one : options) {
        const auto sign = one.find_first_of("=@");
        // The value may be a secret.
        if (sign == std::string::npos || sign == 0)
            return failure{exit_code::usage, "an option of a store is written NAME=VALUE or NAME@FILE"};
        std::string value = one.substr(sign + 1);
        if (one[sign] == '@') {
            auto read = value_in_file(value);
            if (!read) return read.error();
            value = std::move(*read);
        }
        out[one.substr(0, sign)] = std::move(value);
    }
    return out;
}

outcome<store_address> parse_store_address(std::string_view text, const std::vector<std::string>& options) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        return failure{exit_code::usage, "'" + std::string(text) +
                                             "' is not a store; write PLUGIN:PATH, for instance "
                                             "filesystem:/srv/gallery-copy"};
    }
    store_address out;
    out.plugin = text.substr(0, colon);
    out.path = text.substr(colon + 1);
    auto parsed = parse_store_options(options);
    if (!parsed) return parsed.error();
    out.options = std::move(*parsed);
    return out;
}

outcome<app::unprobed_store> open_source(const store_address& address, config::storage_settings defaults) {
    store_address where = address;
    const auto plugin = load(where, defaults);
    if (!plugin) return plugin.error();
    // An engine would create a store in an empty folder.
    if (!plugin->descriptor->shared &&
        (is_empty_folder(where.path) || !app::check_store_folder(plugin->descriptor->name, where.path))) {
        return failure{exit_code::configuration,
                       "the folder " + where.path + " contains no store of " + plugin->descriptor->name};
    }
    return open(where, std::move(defaults), *plugin, false);
}

outcome<app::unprobed_store> open_target(const store_address& address, config::storage_settings defaults) {
    store_address where = address;
    const auto plugin = load(where, defaults);
    if (!plugin) return plugin.error();
    if (!plugin->descriptor->shared) {
        const auto checked = app::check_store_folder(plugin->descriptor->name, where.path);
        if (!checked) return failure{exit_code::refused, checked.error().message};
    }
    return open(where, std::move(defaults), *plugin, true);
}

outcome<app::unprobed_store> open_configured(const config::storage_settings& settings,
                                             const std::string& data_folder) {
    const auto plugin = plugins::load_plugin(settings.plugin, settings.plugin_dir);
    if (!plugin) return ended_by(plugin.error());
    const std::string name = plugin->descriptor->name;
    if (!plugin->descriptor->shared) {
        const auto folder = settings.path.empty() ? data_folder + "/" + name : settings.path;
        const auto checked = app::check_store_folder(name, folder);
        if (!checked) return failure{exit_code::refused, checked.error().message};
    }
    constexpr bool may_create = true;
    auto opened = app::open_unprobed(settings, data_folder, may_create, &print_warning);
    if (!opened) return ended_by(opened.error());
    if (!opened->note.empty()) print_warning(log_level::warning, opened->note);
    return std::move(*opened);
}

}  // namespace gallery::admin
