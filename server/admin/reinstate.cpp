// SPDX-License-Identifier: Apache-2.0
#include "admin/reinstate.hpp"

#include "admin/closed_store.hpp"
#include "admin/help.hpp"
#include "admin/output.hpp"
#include "admin/store_address.hpp"
#include "admin/times.hpp"
#include "app/configuration_file.hpp"
#include "app/data_folder.hpp"
#include "app/mirror_target.hpp"
#include "app/node_registry.hpp"
#include "app/process.hpp"
#include "mirror/active_store.hpp"
#include "mirror/identity.hpp"
#include "mirror/mark.hpp"
#include "mirror/same_folder.hpp"
#include "mirror/superseded.hpp"
#include "plugins/host.hpp"

#include <gallery/clock.hpp>
#include <gallery/files.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace gallery::admin {

namespace {

struct options {
    std::string config_file;
    bool yes = false;
    bool json = false;
    bool help = false;
};

outcome<options> parse(std::span<const char* const> arguments) {
    options parsed;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        if (word == "--yes") {
            parsed.yes = true;
        } else if (word == "--json") {
            parsed.json = true;
        } else if (word == "--help" || word == "-h") {
            parsed.help = true;
        } else if (!take_value(arguments, i, "--config", parsed.config_file)) {
            return failure{exit_code::usage, "'" + std::string(word) +
                                                 "' is not an option of reinstate, or its value is missing"};
        }
    }
    return parsed;
}

/// What the store says about itself.
struct found {
    std::string identity;  ///< empty if it has none
    std::optional<mirror::successor> successor;
    revision successor_rev = 0;  ///< 0: there is none
    std::optional<mirror::stored_mark> mark;

    /// Whether a switch has claimed the store, which is not known to be decided.
    [[nodiscard]] bool is_claimed() const { return successor && !successor->node.empty(); }
    /// The claim of a target names the target itself, and contains what a switch has noted there before.
    [[nodiscard]] bool was_served() const {
        if (!successor) return false;
        return !is_claimed() || successor->identity != identity || !successor->replaced.empty();
    }
};

task<result<found>> examine(document_store& store) {
    found out;
    auto identity = co_await mirror::find_identity(store);
    if (!identity) co_return identity.error();
    out.identity = std::move(*identity);
    auto successor = co_await mirror::find_stored_successor(store);
    if (!successor) co_return successor.error();
    if (*successor) {
        out.successor = std::move((*successor)->value);
        out.successor_rev = (*successor)->rev;
    }
    auto mark = co_await mirror::find_mark(store);
    if (!mark) co_return mark.error();
    out.mark = std::move(*mark);
    co_return out;
}

std::string lost(const found& known, const std::string& store) {
    const std::string text = "Serve from " + store + " again. ";
    if (known.is_claimed()) {
        return text + "The server with the id " + known.successor->node +
               " was interrupted while it switched between this store and another one. What was written to "
               "the other one since then is lost";
    }
    if (known.mark && known.mark->value.is_complete) {
        return text + "It contains what was written to the other store only up to " +
               format_time(known.mark->value.changed_time) +
               ", when it became a complete copy; everything later is lost";
    }
    if (known.mark)
        return text + "What was written to the other store after this one has followed it last is lost";
    return text + "What was written to the other store since the switch is lost";
}

bool is_database(const mirror::known_store& store) {
    return store.address.path.empty();
}

/// The store that the server serves from now, as far as it is known. Null: no other one.
std::optional<mirror::known_store> other_store(const std::optional<mirror::active_store>& decided,
                                               const found& known, const std::string& folder) {
    mirror::known_store other;
    if (decided) {
        other = decided->now;
    } else if (known.successor) {
        other.plugin = other.address.engine = known.successor->engine;
        other.address.path = known.successor->path;
        other.identity = known.successor->identity;
    }
    if (is_database(other)) {
        // A successor does not contain the options, which say where it is.
        const bool is_known = !other.address.options.empty() && other.identity != known.identity;
        return is_known ? std::optional(other) : std::nullopt;
    }
    if (mirror::is_same_folder(other.address.path, folder)) return std::nullopt;
    return other;
}

/// Opens it, so that no server serves from it meanwhile. Empty if it is lost. Failure: refused if it is in
/// use.
outcome<std::optional<app::unprobed_store>> hold(const mirror::known_store& other,
                                                 config::storage_settings settings) {
    const bool is_missing =
        !is_database(other) && (!app::is_filled_folder(other.address.path) ||
                                !app::check_store_folder(other.plugin, other.address.path));
    if (is_missing) return std::optional<app::unprobed_store>();
    settings.plugin = other.address.engine;
    settings.path = other.address.path;
    settings.sections[other.plugin] = other.address.options;
    constexpr bool may_create = false;
    auto opened = app::open_unprobed(settings, "", may_create, [](log_level, std::string_view) {});
    if (opened) return std::optional<app::unprobed_store>(std::move(*opened));
    // A database that does not answer is lost, or it is not known who uses it.
    if (is_database(other) || opened.error().code != errc::unavailable)
        return std::optional<app::unprobed_store>();
    return failure{
        exit_code::refused,
        "nothing was changed, because the other store cannot be opened: " + opened.error().message +
            " If a server uses it, stop the server first. If it is lost, move its folder away"};
}

failure failed_by(const error& e) {
    return failure{exit_code::unreachable, "nothing was changed: " + e.message};
}

/// Also this server, if it runs. Failure: refused, with their addresses.
outcome<> check_unused(asio::io_context& context, const app::unprobed_store& other) {
    if (!other.shared) return {};
    auto& documents = other.store->documents();
    const app::node_registry registry(
        documents, [] { return true; }, {}, &now_ms);
    const auto nodes = run_on(context, registry.others(documents));
    if (!nodes) return engine_failed();
    if (!*nodes) return failed_by(nodes->error());
    if ((*nodes)->empty()) return {};
    std::string names;
    for (const auto& one : **nodes)
        names += (names.empty() ? "" : ", ") + one.address;
    return failure{exit_code::refused, "nothing was changed, because servers use the other store: " + names +
                                           ". Stop them first. A server that was killed counts for half a "
                                           "minute"};
}

/// A server that has claimed the store can be in the middle of its switch. Returns a condition under which it
/// is still gone when the claim is erased. Failure: refused if it is there, with its address.
outcome<document_write> check_claimant(const printer& out, asio::io_context& context,
                                       document_store& documents, const std::string& id) {
    using clock = std::chrono::steady_clock;
    constexpr std::chrono::seconds look_again{1};
    const auto until = clock::now() + app::missing_after();
    std::optional<app::announcement> first;
    for (bool is_first = true;; is_first = false) {
        const auto asked = run_on(context, app::find_announcement(documents, id));
        if (!asked) return engine_failed();
        if (!*asked) return failed_by(asked->error());
        const auto& last = **asked;
        if (!last) return app::require_silence(id, last);
        if (is_first) first = last;
        if (last->is_recent(now_ms()) || last->rev != first->rev) {
            return failure{
                exit_code::refused,
                "nothing was changed, because the server that switches from or to the store is there: " +
                    last->node.address + " (" + id +
                    "). Wait until the switch has ended, or stop that server. A server that was "
                    "killed counts for half a minute"};
        }
        if (clock::now() >= until) return app::require_silence(id, last);
        // Its clock may be behind the one of this machine.
        if (is_first)
            out.note("waiting for half a minute to be sure that the server " + last->node.address +
                     " is gone");
        std::this_thread::sleep_for(look_again);
    }
}

/// So that no server starts on the other store by mistake.
task<result<void>> note_place_taken(document_store& other, std::string expected, mirror::successor next) {
    const auto identity = co_await mirror::find_identity(other);
    if (!identity) co_return identity.error();
    if (*identity != expected) co_return result<void>();  // it is not the one that the server served from
    co_return co_await mirror::note_successor(other, std::move(next));
}

/// The mirror of the server would be its own store.
result<void> forget_mirror(const std::string& file, const mirror::successor& store) {
    const auto known = mirror::read_state_file(file);
    if (!known || !known->has_value()) return {};
    const auto& mirror = **known;
    const bool is_it = store.path.empty() ? mirror.former_identity == store.identity
                                          : mirror::is_same_folder(mirror.target.path, store.path);
    return is_it ? mirror::remove_state_file(file) : result<void>();
}

int end(const printer& out, const failure& what) {
    return out.end("gallery-admin reinstate", what);
}

}  // namespace

int reinstate(std::span<const char* const> arguments) {
    const auto wanted = parse(arguments);
    if (!wanted) return end(printer(false), wanted.error());
    if (wanted->help) return print_help("reinstate");
    const printer out(wanted->json);
    app::prepare_process();
    const auto configuration = app::load_configuration(wanted->config_file);
    if (!configuration) return end(out, {exit_code::configuration, configuration.error().message});
    const auto& settings = configuration->values;
    const auto data = app::absolute_folder(settings.data.folder);
    const std::string file = data + "/" + mirror::active_store_file;

    asio::io_context context{1};  // outlives the store, whose threads post to it
    store_address where;
    where.plugin = settings.storage.plugin;
    where.path = settings.storage.path;
    if (where.path.empty()) {
        const auto plugin = plugins::load_plugin(settings.storage.plugin, settings.storage.plugin_dir);
        if (!plugin) return end(out, {exit_code::configuration, plugin.error().message});
        where.path = data + "/" + plugin->descriptor->name;
    }
    auto store = open_source(where, settings.storage);
    if (!store) return end(out, store.error());
    auto& documents = store->store->documents();
    const auto examined = run_on(context, examine(documents));
    if (!examined) return end(out, engine_failed());
    if (!*examined) return end(out, failed_by(examined->error()));

    std::error_code ignored;
    const bool is_decided = std::filesystem::exists(file, ignored);
    const auto& known = **examined;
    const mirror::successor own{
        store->engine, store->shared ? "" : store->folder, known.identity, now_ms(), {}};
    const std::string name = own.engine + ":" + own.path;
    if (!is_decided && !known.successor)
        return end(out, {exit_code::refused, "the server serves from " + name + " already"});
    // A file that cannot be read decides nothing.
    const auto read = mirror::read_active_store(file);
    const auto decided = read ? *read : std::nullopt;
    const bool was_served = known.was_served() || (decided && decided->before.identity == known.identity);
    if (known.mark && !known.mark->value.is_complete && !was_served) {
        return end(out, {exit_code::refused, name + " is an incomplete copy of " + known.mark->value.source +
                                                 ", and was never the store of the server"});
    }
    const auto text = lost(known, name);
    if (!wanted->yes)
        return end(out, {exit_code::usage, text + ". This cannot be undone; confirm it with --yes"});

    std::optional<document_write> is_gone;
    if (known.is_claimed()) {
        auto gone = check_claimant(out, context, documents, known.successor->node);
        if (!gone) return end(out, gone.error());
        is_gone = std::move(*gone);
    }
    std::optional<app::unprobed_store> held;  // to the end
    const auto other = other_store(decided, known, store->folder);
    if (other) {
        auto opened = hold(*other, settings.storage);
        if (!opened) return end(out, opened.error());
        held = std::move(*opened);
    }
    if (other && !held && is_database(*other))
        out.note("the other store cannot be opened. Make sure that no server uses it");
    if (held) {
        if (auto unused = check_unused(context, *held); !unused) return end(out, unused.error());
    }
    if (held) {
        const auto noted = run_on(context, note_place_taken(held->store->documents(), other->identity, own));
        if (!noted || !*noted) out.note("the other store is not marked as superseded");
    }
    const auto released =
        run_on(context, is_gone ? mirror::release_store(documents, known.successor_rev, std::move(*is_gone))
                                : mirror::release_store(documents));
    if (!released) return end(out, engine_failed());
    if (!*released) return end(out, failed_by(released->error()));
    if (auto removed = remove_file(file); !removed)
        return end(out, {exit_code::unreachable, removed.error().message});
    if (auto forgotten = forget_mirror(data + "/" + app::mirror_file, own); !forgotten)
        return end(out, {exit_code::unreachable, forgotten.error().message});

    boost::json::object value;
    value["engine"] = store->engine;
    value["path"] = own.path;
    out.done("the next start of the server serves from " + name + " again", value);
    if (auto printed = printer::finish(); !printed) return end(out, printed.error());
    return static_cast<int>(exit_code::done);
}

}  // namespace gallery::admin
