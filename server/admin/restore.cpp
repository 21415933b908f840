// SPDX-License-Identifier: Apache-2.0
#include "admin/restore.hpp"

#include "admin/closed_store.hpp"
#include "admin/copying.hpp"
#include "admin/help.hpp"
#include "admin/output.hpp"
#include "admin/store_address.hpp"
#include "app/active_storage.hpp"
#include "app/configuration_file.hpp"
#include "app/data_folder.hpp"
#include "app/mirror_target.hpp"
#include "app/process.hpp"
#include "mirror/identity.hpp"
#include "mirror/state_file.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::admin {

namespace {

struct options {
    std::string folder;
    std::string engine = "filesystem";
    std::string config_file;
    copying how;
    bool help = false;
};

outcome<options> parse(std::span<const char* const> arguments) {
    options parsed;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        if (word == "--verify") {
            parsed.how.verify = true;
        } else if (word == "--skip-damaged") {
            parsed.how.skip_damaged = true;
        } else if (word == "--json") {
            parsed.how.json = true;
        } else if (word == "--quiet") {
            parsed.how.quiet = true;
        } else if (word == "--help" || word == "-h") {
            parsed.help = true;
        } else if (take_value(arguments, i, "--engine", parsed.engine) ||
                   take_value(arguments, i, "--config", parsed.config_file)) {
            continue;
        } else if (word.starts_with('-') || word.empty() || !parsed.folder.empty()) {
            return failure{exit_code::usage, "'" + std::string(word) +
                                                 "' is not an option of restore, or its value is missing"};
        } else {
            parsed.folder = word;
        }
    }
    if (!parsed.help && parsed.folder.empty())
        return failure{exit_code::usage,
                       "the folder of the backup is required; gallery-admin restore --help"};
    return parsed;
}

/// A server that was switched to this place expects the store that was there. Its mirror is the old store,
/// which would be made equal to the restored one: it may contain more, so it stays as it is.
outcome<> accept(asio::io_context& context, const app::active_storage& active, const std::string& mirror_file,
                 const app::unprobed_store& restored) {
    if (!active.decided) return {};
    const auto identity = run_on(context, mirror::find_identity(restored.store->documents()));
    if (!identity) return engine_failed();
    if (!*identity) return failure{exit_code::unreachable, identity->error().message};
    // Before the store is accepted, so that no server continues the mirror.
    const auto forgotten = mirror::remove_state_file(mirror_file);
    if (!forgotten) return failure{exit_code::unreachable, forgotten.error().message};
    auto decided = *active.decided;
    decided.now.identity = **identity;
    const auto written = mirror::write_active_store(active.file, decided);
    if (!written) return failure{exit_code::unreachable, written.error().message};
    return {};
}

int fail(const printer& out, const failure& what) {
    return out.end("gallery-admin restore", what);
}

}  // namespace

int restore(std::span<const char* const> arguments) {
    const auto wanted = parse(arguments);
    if (!wanted) return fail(printer(false), wanted.error());
    if (wanted->help) return print_help("restore");
    const printer out(wanted->how.json);
    app::prepare_process();
    const auto configuration = app::load_configuration(wanted->config_file);
    if (!configuration) return fail(out, {exit_code::configuration, configuration.error().message});
    const auto& settings = configuration->values;

    store_address from;
    from.plugin = wanted->engine;
    from.path = wanted->folder;
    asio::io_context context{1};  // outlives the stores, whose threads post to it
    auto source = open_source(from, settings.storage);
    if (!source) return fail(out, source.error());
    const auto data = app::absolute_folder(settings.data.folder);
    auto active = app::find_active_storage(settings.storage, data);
    if (!active) return fail(out, {exit_code::configuration, active.error().message});
    app::ask_configured_store(*active, settings.storage);
    auto target = open_configured(active->settings, data);
    if (!target) return fail(out, target.error());

    const auto done = run_copy(context, out, *source, *target, wanted->how);
    if (!done) return fail(out, done.error());
    if (*done) {
        const auto mirror_file = data + "/" + app::mirror_file;
        if (auto accepted = accept(context, *active, mirror_file, *target); !accepted)
            return fail(out, accepted.error());
    }
    return static_cast<int>(*done ? exit_code::done : exit_code::refused);
}

}  // namespace gallery::admin
