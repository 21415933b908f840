// SPDX-License-Identifier: Apache-2.0
#include "app/check_configuration.hpp"

#include "app/active_storage.hpp"
#include "app/data_folder.hpp"

#include "accounts/rate_format.hpp"
#include "auth/password.hpp"
#include "http/cross_origin.hpp"
#include "http/forwarded.hpp"
#include "http/static_files.hpp"
#include "http/tls.hpp"
#include "plugins/host.hpp"
#include "plugins/options.hpp"

#include <gallery/characters.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace gallery::app {

namespace {

using config::configuration;
using config::effective_value;

class findings {
public:
    void add(const std::string& text) { text_ += (text_.empty() ? "" : "\n") + text; }
    [[nodiscard]] result<void> outcome() const {
        if (text_.empty()) return {};
        return error{errc::invalid_argument, text_};
    }

private:
    std::string text_;
};

const effective_value& value_at(const configuration& c, std::string_view path) {
    for (const auto& value : c.effective) {
        if (value.path == path) return value;
    }
    std::abort();  // every key has a value, which a test of the configuration holds
}

/// Plugin and option of "storage.PLUGIN.OPTION".
std::optional<std::pair<std::string, std::string>> plugin_option(const std::string& path) {
    constexpr std::string_view prefix = "storage.";
    if (!path.starts_with(prefix)) return std::nullopt;
    const auto dot = path.find('.', prefix.size());
    if (dot == path.npos) return std::nullopt;
    return std::pair(path.substr(prefix.size(), dot - prefix.size()), path.substr(dot + 1));
}

/// Whether @p word is in @p text and not a part of a longer name.
bool names(std::string_view text, std::string_view word) {
    const auto inside = [](char c) { return is_ascii_alphanumeric(c) || c == '_'; };
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
        const auto after = at + word.size();
        if ((at == 0 || !inside(text[at - 1])) && (after == text.size() || !inside(text[after]))) return true;
    }
    return false;
}

void check_password(const configuration& c, std::string_view path, const std::string& password,
                    findings& wrong) {
    if (password.empty()) return;
    if (const auto allowed = auth::check_password_policy(password); !allowed) {
        wrong.add(value_at(c, path).problem("expected a valid password, found an invalid one (not shown): " +
                                            allowed.error().message));
    }
}

void check_base_path(const configuration& c, findings& wrong) {
    const auto& value = value_at(c, "server.base_path");
    const auto path = http::parse_path_prefix(value.text);
    // These are the server's own first segments.
    const auto begins = [&path](std::string_view own) { return path && (*path + "/").starts_with(own); };
    if (path && !begins("/api/") && !begins("/health/")) return;
    wrong.add(value.problem("expected a path such as /gallery, not below /api or /health, found \"" +
                            value.text + "\""));
}

void check_rates(const configuration& c, findings& wrong) {
    const auto parsed = accounts::parse_rates(c.values.server.public_requests_per_client);
    if (parsed) return;
    wrong.add(
        value_at(c, "server.public_requests_per_client")
            .problem("expected rates such as 100:1,2000:60, or an empty value: " + parsed.error().message));
}

void check_cors(const configuration& c, findings& wrong) {
    const auto& cors = c.values.server.cors;
    const auto check = [&](std::string_view path, const auto& parsed) {
        if (!parsed) wrong.add(value_at(c, path).problem(parsed.error().message));
    };
    const auto origins = http::origin_pattern::parse_list(cors.allowed_origin_patterns);
    check("server.cors.allowed_origin_patterns", origins);
    check("server.cors.allowed_methods", http::parse_names(cors.allowed_methods));
    check("server.cors.allowed_headers", http::parse_names(cors.allowed_headers));
    if (!origins || !cors.allow_credentials) return;
    for (const auto& one : *origins) {
        if (!one.is_wildcard()) continue;
        wrong.add(value_at(c, "server.cors.allow_credentials")
                      .problem("expected false with the pattern '" + one.text() +
                               "' in server.cors.allowed_origin_patterns (TB_CORS_ALLOWED_ORIGIN_PATTERNS), "
                               "which matches every host, found true"));
    }
}

/// What etc/gallery.yml has, as it was built in.
configuration built_in() {
    auto loaded = config::load_text("", "gallery.yml (built in)",
                                    [](const std::string&) -> std::optional<std::string> { return {}; });
    return loaded ? std::move(*loaded) : configuration();
}

/// The options of the selected plugin are for the plugin to judge, when it is opened.
void check_sections(const configuration& c, const plugin_namer& name_of, findings& wrong) {
    const auto& storage = c.values.storage;
    const auto known = built_in();
    std::set<std::string> options;
    for (const auto& value : known.effective)
        options.insert(value.path);
    const auto found = plugins::plugins_in(storage.plugin_dir.empty() ? plugins::default_plugin_folder()
                                                                      : storage.plugin_dir);
    std::set<std::string> plugins(found.begin(), found.end());
    for (const auto& [name, section] : known.values.storage.sections)
        plugins.insert(name);
    const std::string selected = name_of(storage);
    if (selected.empty()) return;
    plugins.insert(selected);
    std::string all;
    for (const auto& name : plugins)
        all += (all.empty() ? "" : ", ") + name;

    for (const auto& value : c.effective) {
        const auto option = plugin_option(value.path);
        if (!option) continue;
        if (!plugins.contains(option->first)) {
            wrong.add(value.problem("expected the section of a storage plugin (" + all + "), found '" +
                                    option->first + "'"));
        } else if (option->first != selected && known.values.storage.sections.contains(option->first) &&
                   !options.contains(value.path)) {
            wrong.add(value.problem("expected a key of etc/gallery.yml, found an unknown one"));
        }
    }
}

/// The file itself is made by the start.
void check_access_log(const configuration& c, findings& wrong) {
    const auto& log = c.values.logging.access_log;
    if (log.format == config::access_log_format::off || log.file.empty()) return;
    const auto folder = std::filesystem::absolute(log.file).parent_path();
    std::error_code failed;
    if (std::filesystem::is_directory(folder, failed) && !std::filesystem::is_directory(log.file, failed))
        return;
    wrong.add(value_at(c, "logging.access_log.file")
                  .problem("expected a file in an existing folder, found \"" + log.file + "\""));
}

/// Only the plugin knows which values its options take, and says so when it is opened.
std::string try_plugin(const configuration& c, findings& wrong) {
    const auto data = absolute_folder(c.values.data.folder);
    const auto active = find_active_storage(c.values.storage, data);
    const auto there = active ? active->require_store() : result<void>(active.error());
    if (!there) {
        wrong.add(there.error().message);
        return {};
    }
    const auto& s = active->settings;
    const auto plugin = plugins::load_plugin(s.plugin, s.plugin_dir);
    if (!plugin) {
        wrong.add(plugin.error().message);
        return {};
    }
    const std::string name = plugin->descriptor->name;
    const std::string who = "the storage plugin is " + plugin->file + " (" + plugin->descriptor->version +
                            (active->note().empty() ? ")" : ", " + active->note() + ")");
    plugin_context context;
    if (const auto section = s.sections.find(name); section != s.sections.end())
        context.options = section->second;
    context.log = [](log_level, std::string_view) {};
    const auto options = plugins::complete_options(*plugin->descriptor, context.options);
    if (!options) {
        wrong.add(with_origins(c, options.error().message));
        return {};
    }
    // The options name a store that others may be using.
    if (plugin->descriptor->shared) return who + "; whether its store can be opened was not tried";
    const temporary_folder folder;
    if (folder.path().empty())
        return who + "; its options were not checked, because there is no folder for temporary files";
    context.path = folder.path();
    const auto opened = plugins::open_store(*plugin, std::move(context));
    if (opened) return who + " and accepts its options";
    if (opened.error().code == errc::invalid_argument) {
        wrong.add(with_origins(c, opened.error().message));
        return {};
    }
    return who + "; its options could not be checked: " + opened.error().message;
}

}  // namespace

http::tls_options tls_options_of(const config::ssl_settings& ssl) {
    return {ssl.cert_file, ssl.key_file.empty() ? ssl.cert_file : ssl.key_file, ssl.key_password, ssl.ciphers,
            ssl.only_1_3};
}

http::cross_origin_settings cross_origin_of(const config::cors_settings& cors) {
    http::cross_origin_settings out;
    out.origins = http::origin_pattern::parse_list(cors.allowed_origin_patterns).value();
    out.methods = http::parse_names(cors.allowed_methods).value();
    out.headers = http::parse_names(cors.allowed_headers).value();
    out.max_age = cors.max_age;
    out.credentials = cors.allow_credentials;
    return out;
}

std::string base_path_of(const config::server_settings& server) {
    return http::parse_path_prefix(server.base_path).value();
}

std::vector<effective_value> shown_values(const configuration& c) {
    auto shown = c.effective;
    const auto& s = c.values.storage;
    const auto plugin = plugins::load_plugin(s.plugin, s.plugin_dir);
    if (!plugin) return shown;
    const auto declared = plugins::declared_options(*plugin->descriptor);
    if (!declared) return shown;
    const auto section = s.sections.find(plugin->descriptor->name);
    if (section == s.sections.end()) return shown;
    for (const auto& option : *declared) {
        const auto given = section->second.find(option.name);
        if (option.secret || given == section->second.end()) continue;
        const auto path = "storage." + section->first + "." + option.name;
        const auto at = std::find_if(shown.begin(), shown.end(),
                                     [&](const effective_value& value) { return value.path == path; });
        if (at != shown.end()) at->text = given->second;
    }
    return shown;
}

std::string with_origins(const configuration& c, std::string message) {
    std::string origins;
    for (const auto& value : shown_values(c)) {
        const auto option = plugin_option(value.path);
        if (!option || value.from == "default") continue;
        if (names(message, option->first) && names(message, option->second))
            origins += "\n" + value.problem("is set to \"" + value.text + "\"");
    }
    return message + origins;
}

std::string name_of_plugin(const config::storage_settings& storage) {
    if (!storage.plugin.starts_with('/')) return storage.plugin;
    // Only the plugin knows its name. Where it cannot be loaded the start says why.
    const auto loaded = plugins::load_plugin(storage.plugin, storage.plugin_dir);
    return loaded ? loaded->descriptor->name : "";
}

result<void> check_values(const configuration& c, const plugin_namer& name_of) {
    findings wrong;
    const auto& security = c.values.security;
    check_password(c, "security.sysadmin_password", security.sysadmin_password, wrong);
    check_password(c, "security.demo_password", security.demo_password, wrong);
    check_base_path(c, wrong);
    check_rates(c, wrong);
    check_cors(c, wrong);
    check_sections(c, name_of, wrong);
    return wrong.outcome();
}

result<std::string> try_configuration(const configuration& c, const std::string& problems) {
    findings wrong;
    if (!problems.empty()) wrong.add(problems);
    if (const auto good = check_values(c); !good) wrong.add(good.error().message);
    auto tried = try_plugin(c, wrong);
    const auto& server = c.values.server;
    if (server.ssl.enabled) {
        const auto tls = http::load_tls(tls_options_of(server.ssl));
        if (!tls) wrong.add(tls.error().message);
    }
    if (!server.console_folder.empty()) {
        const auto console = http::static_files::load(server.console_folder);
        if (!console) wrong.add(value_at(c, "server.console_folder").problem(console.error().message));
    }
    const auto& images = c.values.data.system_images_folder;
    if (std::error_code failed; !images.empty() && !std::filesystem::is_directory(images, failed)) {
        wrong.add(
            value_at(c, "data.system_images_folder").problem("expected a folder, found nothing: " + images));
    }
    check_access_log(c, wrong);
    if (const auto outcome = wrong.outcome(); !outcome) return outcome.error();
    return tried;
}

}  // namespace gallery::app
