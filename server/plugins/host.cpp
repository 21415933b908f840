// SPDX-License-Identifier: Apache-2.0
#include "plugins/host.hpp"

#include "plugins/options.hpp"
#include "plugins/trust.hpp"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>

#include <dlfcn.h>
#include <unistd.h>

namespace gallery::plugins {

namespace {

constexpr std::string_view suffix = ".so";

error mismatch(const std::string& file, const std::string& what, const std::string& server,
               const std::string& plugin) {
    return {errc::unavailable, "the plugin " + file + " does not match this server: " + what +
                                   "; the server's is " + server + ", the plugin's is " + plugin +
                                   ". Build it with this server's headers and compiler."};
}

bool is_plugin_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
               name.npos;
}

std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "none" : text;
}

std::string printable(const char* bytes, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i)
        text += bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
    return "\"" + text + "\"";
}

/// The parts of two tags that are not the same: a whole tag is long, and all but a word of it fits mostly.
std::pair<std::string, std::string> differing_parts(std::string_view server, std::string_view plugin) {
    const auto parts = [](std::string_view tag) {
        std::vector<std::string> all;
        for (std::size_t from = 0; from <= tag.size();) {
            const auto end = std::min(tag.find(';', from), tag.size());
            all.emplace_back(tag.substr(from, end - from));
            from = end + 1;
        }
        return all;
    };
    const auto ours = parts(server);
    const auto theirs = parts(plugin);
    std::vector<std::string> only_ours;
    std::vector<std::string> only_theirs;
    for (std::size_t i = 0; i < std::max(ours.size(), theirs.size()); ++i) {
        if (i < ours.size() && i < theirs.size() && ours[i] == theirs[i]) continue;
        if (i < ours.size()) only_ours.push_back(ours[i]);
        if (i < theirs.size()) only_theirs.push_back(theirs[i]);
    }
    return {"\"" + list(only_ours) + "\"", "\"" + list(only_theirs) + "\""};
}

}  // namespace

result<void> check_descriptor(const plugin_descriptor* d, const std::string& file) {
    if (d == nullptr) {
        return error{errc::unavailable, "the plugin " + file + " has no descriptor: " + plugin_entry_name +
                                            "() returned null, expected a gallery::plugin_descriptor"};
    }
    if (std::memcmp(d->magic, plugin_magic, sizeof plugin_magic) != 0) {
        return mismatch(file, "the descriptor's first bytes", printable(plugin_magic, sizeof plugin_magic),
                        printable(d->magic, sizeof d->magic));
    }
    if (d->contract_version != plugin_contract_version) {
        return mismatch(file, "the version of the storage contract", std::to_string(plugin_contract_version),
                        std::to_string(d->contract_version));
    }
    if (d->size != sizeof(plugin_descriptor)) {
        return mismatch(file, "the size of the descriptor", std::to_string(sizeof(plugin_descriptor)),
                        std::to_string(d->size));
    }
    if (d->abi_tag == nullptr) {
        return mismatch(file, "the ABI tag", std::string("\"") + plugin_abi_tag + "\"", "missing");
    }
    if (std::strcmp(d->abi_tag, plugin_abi_tag) != 0) {
        const auto [server, plugin] = differing_parts(plugin_abi_tag, d->abi_tag);
        return mismatch(file, "the ABI tag, in the parts named here", server, plugin);
    }
    for (const auto& [text, member] : {std::pair(d->name, "name"), std::pair(d->version, "version"),
                                       std::pair(d->config_schema, "config_schema")}) {
        if (text == nullptr) {
            return error{errc::unavailable,
                         "the plugin " + file + " has a descriptor without " + member + ", expected text"};
        }
    }
    if (d->create == nullptr) {
        return error{errc::unavailable,
                     "the plugin " + file + " has a descriptor without create, expected a function"};
    }
    // It becomes the name of a folder and of a section of the configuration.
    if (!is_plugin_name(d->name)) {
        return error{errc::unavailable, "the plugin " + file + " has a descriptor with the name " +
                                            printable(d->name, std::strlen(d->name)) +
                                            ", expected 1 to 64 letters, digits, _ and -"};
    }
    return {};
}

std::string default_plugin_folder() {
    return (std::filesystem::path(executable_folder()).parent_path() / "lib/gallery/plugins").string();
}

std::vector<std::string> plugins_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
        if (entry.path().extension() == suffix) names.push_back(entry.path().stem().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

result<loaded_plugin> load_plugin(const std::string& plugin, const std::string& folder) {
    std::string file = plugin;
    if (!plugin.starts_with('/')) {
        if (!is_plugin_name(plugin)) {
            return error{errc::invalid_argument,
                         "STORAGE_PLUGIN is '" + plugin +
                             "'; expected a plugin's name (letters, digits, _ and -) or the "
                             "absolute path of a plugin"};
        }
        const std::string where = std::filesystem::absolute(folder.empty() ? default_plugin_folder() : folder)
                                      .lexically_normal()
                                      .string();
        file = (std::filesystem::path(where) / (plugin + std::string(suffix))).string();
        if (std::error_code failed; !std::filesystem::exists(file, failed)) {
            return error{errc::not_found, "there is no storage plugin '" + plugin + "' in " + where +
                                              "; there are: " + list(plugins_in(where)) +
                                              ". Set STORAGE_PLUGIN to one of them, or STORAGE_PLUGIN_DIR to "
                                              "its folder."};
        }
    }
    auto trusted = trusted_file(file);
    if (!trusted) return trusted.error();
    file = std::move(*trusted);

    // RTLD_NOW: what is missing is found now and not in the middle of a request. Never closed.
    void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* reason = ::dlerror();
        return error{errc::unavailable, "cannot load the plugin " + file + ": " +
                                            (reason == nullptr ? "no reason given" : reason)};
    }
    void* symbol = ::dlsym(library, plugin_entry_name);
    if (symbol == nullptr) {
        return error{errc::unavailable, "the plugin " + file + " does not export the function " +
                                            plugin_entry_name +
                                            ", which GALLERY_STORAGE_PLUGIN(...) defines, so it is not a "
                                            "storage plugin"};
    }
    const auto entry = reinterpret_cast<plugin_entry>(symbol);
    loaded_plugin loaded{entry(), std::move(file)};
    if (auto good = check_descriptor(loaded.descriptor, loaded.file); !good) return good.error();
    return loaded;
}

namespace {

// For the terminate handler, which can be given nothing.
std::string opening;  // NOLINT

/// An exception that leaves a noexcept function cannot be caught; at least its origin is reported.
[[noreturn]] void say_which_plugin() {
    const std::string text = "gallery: " + opening +
                             " threw an exception while it was opened, expected an error "
                             "value. This plugin cannot be used.\n";
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    static_cast<void>(written);
    std::_Exit(EXIT_FAILURE);
}

class terminate_guard {
public:
    explicit terminate_guard(std::string what) {
        opening = std::move(what);
        previous_ = std::set_terminate(&say_which_plugin);
    }
    ~terminate_guard() { std::set_terminate(previous_); }
    terminate_guard(const terminate_guard&) = delete;
    terminate_guard& operator=(const terminate_guard&) = delete;

private:
    std::terminate_handler previous_;
};

}  // namespace

result<std::unique_ptr<storage_engine>> open_store(const loaded_plugin& plugin, plugin_context context) {
    const plugin_descriptor& d = *plugin.descriptor;
    const secret_texts secrets(d, context.options);
    auto options = complete_options(d, std::move(context.options));
    if (!options) return options.error();
    context.options = std::move(*options);
    if (!secrets.empty()) {
        context.log = [secrets, log = std::move(context.log)](log_level level, std::string_view text) {
            if (log) log(level, secrets.masked(std::string(text)));
        };
    }
    const std::string who = "the storage plugin " + std::string(d.name) + " (" + plugin.file + ")";
    // Called through a type that may throw, so that an exception of a plugin that only claims not to is
    // caught.
    using may_throw = result<std::unique_ptr<storage_engine>> (*)(const plugin_context&);
    const may_throw create = d.create;
    const terminate_guard guard(who);
    try {
        auto store = create(context);
        if (!store) {
            return error{store.error().code, who + " could not open " + context.path + ": " +
                                                 secrets.masked(store.error().message)};
        }
        if (*store == nullptr) {
            return error{errc::internal, who + " returned no store and no error, expected one of them"};
        }
        return store;
    } catch (const std::exception& e) {
        return error{errc::internal,
                     who + " threw an exception while it was opened, expected an error value: " +
                         secrets.masked(e.what())};
    } catch (...) {
        return error{
            errc::internal,
            who + " threw an exception of unknown type while it was opened, expected an error value"};
    }
}

}  // namespace gallery::plugins
