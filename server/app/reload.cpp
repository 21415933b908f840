// SPDX-License-Identifier: Apache-2.0
// A reload of the configuration: what the parts of a running server take over of it, and how.
//
// Everything that can fail is done first: the certificate is read, memory for the ETag cache is mapped, the
// routes are made, further imaging workers are started. Then the parts take the new values over, which cannot
// fail. The HTTP server takes its rules and the routes over in one step for each I/O thread, and a request
// keeps those that it began with (http/serving_rules.hpp). The other parts read each value once for each
// piece of work.
//
// config/bindings.cpp says of each setting whether and when a change is used. A setting that is to be used
// without a restart is passed on in apply(), and stays as it was in comparison::next otherwise.
#include "app/check_configuration.hpp"
#include "app/http_options.hpp"
#include "app/log.hpp"
#include "app/part_options.hpp"
#include "app/parts.hpp"
#include "http/tls.hpp"
#include "plugins/options.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

namespace gallery::app {

namespace {

/// Reloads that requests wait for; further ones are refused.
constexpr unsigned most_waiting = 8;

std::string name_in_use(const config::configuration& in_use, const std::string& name,
                        const config::storage_settings& asked) {
    // The plugin is not loaded again: its file may be another one meanwhile.
    if (asked.plugin == in_use.values.storage.plugin) return name;
    return asked.plugin.starts_with('/') ? "" : asked.plugin;
}

/// @p values with the options of the section that the plugin has.
std::map<std::string, std::string> section_of(const config::settings& values, const std::string& plugin) {
    const auto found = values.storage.sections.find(plugin);
    return found == values.storage.sections.end() ? std::map<std::string, std::string>() : found->second;
}

std::string in_one_line(std::string lines) {
    for (auto at = lines.find('\n'); at != lines.npos; at = lines.find('\n', at))
        lines.replace(at, 1, "; ");
    return lines;
}

std::optional<std::string> unless_path(const config::change& one, const std::string& value) {
    if (one.is_path && (one.from.find('/') != value.npos || one.to.find('/') != value.npos))
        return std::nullopt;
    return value;
}

std::vector<api::setting_change> for_clients(const std::vector<config::change>& all) {
    std::vector<api::setting_change> out;
    for (const auto& one : all)
        out.push_back({one.path, unless_path(one, one.from), unless_path(one, one.to)});
    return out;
}

}  // namespace

reloader::steps gallery_server::parts::reload_steps(const start_options& options) {
    reloader::steps steps;
    steps.read = options.read_configuration;
    steps.check = [this](const config::configuration& in_use, const config::configuration& given) {
        return check_reload(in_use, given);
    };
    steps.rules = [this](const std::string& path) { return rule_of_option(path); };
    steps.apply = [this](const config::comparison& found) { return apply(found); };
    steps.paths = {options.configuration_file, imaging_worker_file()};
    return steps;
}

bool gallery_server::parts::serves_configured_store() const {
    return !active_.decided && mirror_->status().switches == 0;
}

config::option_rule gallery_server::parts::rule_of_option(const std::string& path) const {
    const std::string prefix = "storage." + std::string(storage_.plugin->name) + ".";
    if (!path.starts_with(prefix)) return {};
    const auto declared = plugins::declared_options(*storage_.plugin);
    if (!declared) return {};
    for (const auto& option : *declared) {
        if (path == prefix + option.name)
            return {.is_used = true,
                    .is_secret = option.secret,
                    .is_changeable = option.reload && serves_configured_store()};
    }
    return {};
}

result<void> gallery_server::parts::check_reload(const config::configuration& in_use,
                                                 const config::configuration& given) const {
    if (!serves_configured_store()) return check_values(given);
    const std::string name = storage_.plugin->name;
    const auto name_of = [&in_use, &name](const config::storage_settings& asked) {
        return name_in_use(in_use, name, asked);
    };
    if (auto good = check_values(given, name_of); !good) return good;
    // Those of another plugin are for that one to judge, at the next start.
    const auto options = plugins::complete_options(*storage_.plugin, section_of(given.values, name));
    if (!options) return options.error();
    return {};
}

result<std::vector<config::change>> gallery_server::parts::apply(const config::comparison& found) {
    const auto& next = found.next.values;
    const auto is_changed = [&found](std::string_view prefix) {
        return std::ranges::any_of(
            found.changed, [prefix](const config::change& one) { return one.path.starts_with(prefix); });
    };
    // What can fail.
    std::vector<config::change> others;
    std::optional<http::loaded_tls> tls;
    if (settings.server.ssl.enabled) {
        auto loaded = http::load_tls(tls_options_of(next.server.ssl));
        if (!loaded) return loaded.error();
        const auto former = http_->certificate();
        if (former != loaded->certificate)
            others.push_back({"server.ssl (certificate)", former, loaded->certificate});
        tls = std::move(*loaded);
    }
    cache::etag_cache::memory etags;
    if (is_changed("cache.image.etag.")) {
        try {
            etags = etags_->prepare(next.cache.etag_max_size, next.cache.etag_time_to_live);
        } catch (const std::system_error& thrown) {
            return error{errc::invalid_argument,
                         "cache.image.etag.max_size (CACHE_SPECS_IMAGE_ETAGS_MAX_SIZE): there is no memory "
                         "for " +
                             std::to_string(next.cache.etag_max_size) + " bytes: " + thrown.code().message() +
                             ". Set a smaller size"};
        }
    }
    std::optional<std::map<std::string, std::string>> options;
    if (found.options_changed && serves_configured_store()) {
        auto complete = plugins::complete_options(*storage_.plugin, section_of(next, storage_.plugin->name));
        if (!complete) return complete.error();
        options = std::move(*complete);
    }
    auto routes = make_routes(next);
    auto serving = http_options(next);
    if (auto done = imaging_->apply(pool_limits_of(next.image)); !done) return done.error();

    // What cannot.
    serving.admit = admission_.by(next.server);
    set_live(next);
    scrub_->change(next.storage.scrub_interval, next.storage.scrub_rate);
    uploads_->change(next.transport.upload_memory, upload_wait_of(next.transport));
    downloads_->change(next.transport.upload_memory, download_wait_of(next.transport));
    if (options) {
        storage_.store->change_options(*options);
        served_->note_options(section_of(next, storage_.plugin->name));
    }
    if (etags) {
        etags_->replace(std::move(etags));
        // Only handlers and the follower use it, which are on I/O threads and do not keep it while they wait.
        http_->wait_for_threads();
        etags_->release_replaced();
    }
    if (tls) http_->use_tls(std::move(*tls));
    http_->apply(serving, routes);
    routes_ = std::move(routes);
    return others;
}

result<config::comparison> gallery_server::parts::reload() {
    if (!ready_.load()) return error{errc::unavailable, "the server is stopping"};
    if (reloading_) reloading_();
    auto done = reloader_.reload();
    if (reloaded_) reloaded_(url, done.has_value());
    return done;
}

void gallery_server::parts::reload_by_signal() {
    if (signal_waits_.exchange(true)) return;  // that one will read what is in the file now
    asio::post(reloads_, [this] {
        signal_waits_.store(false);
        static_cast<void>(reload());
    });
}

task<result<api::reload_report>> gallery_server::parts::reload_by_request() {
    if (!ready_.load()) co_return error{errc::unavailable, "the server is starting or stopping"};
    if (requests_wait_.fetch_add(1) >= most_waiting) {
        requests_wait_.fetch_sub(1);
        co_return error{errc::busy, "too many reloads of the configuration are waiting"};
    }
    auto work = [this] { return reload(); };
    const auto done = co_await offload(reloads_, std::move(work));
    requests_wait_.fetch_sub(1);
    if (!done) {
        if (done.error().code != errc::invalid_argument) co_return done.error();
        co_return error{errc::invalid_argument,
                        "The configuration was not reloaded, and the former one is still in use. Correct the "
                        "following and reload it again: " +
                            in_one_line(reloader_.for_client(done.error().message))};
    }
    api::reload_report told;
    told.changed = for_clients(done->changed);
    told.needs_restart = for_clients(done->needs_restart);
    for (const auto& one : done->overridden)
        told.overridden.push_back({one.path, one.variables});
    co_return told;
}

}  // namespace gallery::app
