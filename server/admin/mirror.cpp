// SPDX-License-Identifier: Apache-2.0
// gallery-admin mirror: a second store that follows the store of a running server.
#include "admin/commands.hpp"
#include "admin/mirror_client.hpp"
#include "admin/store_address.hpp"

#include <array>
#include <string>

namespace gallery::admin {

namespace {

namespace json = boost::json;

std::string target_of(const char* action) {
    return std::string(mirror_target) + "/" + action;
}

bool is_busy(const json::object& now) {
    return text_of(now, "state") == "copying" || flag_of(now, "verifying") || flag_of(now, "stopping");
}

outcome<> start(session& in) {
    const auto options = parse_store_options(in.given.values("--option"));
    if (!options) return options.error();
    json::object named;
    for (const auto& [name, value] : *options)
        named[name] = value;
    json::object asked;
    asked["engine"] = in.operand(0);
    asked["path"] = in.given.value("--path").value_or("");
    asked["options"] = std::move(named);
    asked["anySource"] = in.given.has("--any-source");
    auto now = in.server.post_object(target_of("start"), asked);
    if (now && in.given.has("--watch"))
        now = watch_mirror(in, run_of(*now), [](const json::object& one) { return !is_busy(one); });
    if (!now) return now.error();
    in.out.one(*now, mirror_fields());
    return {};
}

outcome<> status(session& in) {
    auto now = mirror_status(in);
    if (now && in.given.has("--watch"))
        now = watch_mirror(in, run_of(*now), [](const json::object& one) { return !is_busy(one); });
    if (!now) return now.error();
    in.out.one(*now, mirror_fields());
    return {};
}

outcome<> verify_mirror(session& in) {
    const auto begun = in.server.post_object(target_of("verify"), json::object());
    if (!begun) return begun.error();
    const auto now =
        watch_mirror(in, run_of(*begun), [](const json::object& one) { return !flag_of(one, "verifying"); });
    if (!now) return now.error();
    in.out.one(*now, mirror_fields());
    const auto* verified = now->if_contains("verified");
    if (verified == nullptr || !verified->is_object())
        return failure{exit_code::refused, "the mirror was not verified: " + text_of(*now, "problem")};
    if (!flag_of(verified->get_object(), "same"))
        return failure{exit_code::refused, "the mirror differs from the store"};
    return {};
}

outcome<> stop(session& in) {
    const bool is_abandoned = in.given.has("--abandon");
    const char* question = is_abandoned ? "abandon the mirror? It will not be complete." : "stop the mirror?";
    if (auto agreed = consent(in, question); !agreed) return agreed;
    json::object how;
    how["abandon"] = is_abandoned;
    const auto begun = in.server.post_object(target_of("stop"), how);
    if (!begun) return begun.error();
    const auto now =
        watch_mirror(in, run_of(*begun), [](const json::object& one) { return !flag_of(one, "stopping"); });
    if (!now) return now.error();
    in.out.one(*now, mirror_fields());
    if (is_abandoned || is_complete(*now)) return {};
    return failure{exit_code::refused, "the mirror is not complete: " + text_of(*now, "problem")};
}

outcome<> switch_over(session& in) {
    const auto before = mirror_status(in);
    if (!before) return before.error();
    const std::string question = "serve from " + store_text(*before, "mirror") + " instead of " +
                                 store_text(*before, "active") + "? The latter becomes the mirror.";
    if (auto agreed = consent(in, question); !agreed) return agreed;
    const auto now = in.server.post_object(target_of("switch"), json::object());
    if (!now) return now.error();
    in.out.one(*now, mirror_fields());
    return {};
}

outcome<> forget(session& in) {
    if (auto agreed = consent(in, "forget the mirror? Its store is kept."); !agreed) return agreed;
    const auto done = in.server.erase(mirror_target);
    if (!done) return done.error();
    in.out.done("the mirror is forgotten; its store is kept", json::object());
    return {};
}

constexpr option watch{"--watch", "", "wait until nothing is copied or verified, and show the progress"};

constexpr std::array<option, 4> start_options{{
    {"--path", "PATH", "folder of the mirror, absolute or below the data folder"},
    {"--option", "NAME=VALUE", "option of the engine, or NAME@FILE to read it from a file; repeatable", "",
     true},
    {"--any-source", "", "continue a copy of another store; makes it equal to the server's store"},
    watch,
}};
constexpr std::array<option, 1> status_options{{watch}};
constexpr std::array<option, 2> stop_options{{
    {"--abandon", "", "end the mirror at once; it is not complete"},
    {"--yes", "", "do not ask for confirmation; required without a terminal"},
}};

constexpr std::array<command, 6> commands{{
    {"mirror start", "ENGINE", "copy the store to a second one and follow it",
     "The folder must be below one of MIRROR_ALLOWED_PATHS (default: the data folder), and new,\n"
     "empty, or an earlier mirror of the same store. A database must be on one of\n"
     "MIRROR_ALLOWED_HOSTS (default: none). The engine gets only the options given here. The\n"
     "mirror continues after a restart of the server. Requires the login of a system\n"
     "administrator; API keys are refused.",
     "gallery-admin mirror start filesystem --path mirror", start_options, start},
    {"mirror status", "", "show the state of the mirror", "", "gallery-admin mirror status --watch",
     status_options, status},
    {"mirror verify",
     "",
     "compare all images of the store and of the mirror",
     "Reads and hashes every image of both stores while the server is running. Differences are\n"
     "repaired and reported. Exit code 1 if the stores still differ afterwards.",
     "gallery-admin mirror verify",
     {},
     verify_mirror},
    {"mirror switch", "", "serve from the mirror, and let the present store follow it",
     "The mirror must follow. Requests are served meanwhile; writes wait for a moment, less than\n"
     "MIRROR_SWITCH_TIMEOUT. If that is not enough, nothing is changed. Run it again to go back.\n"
     "The server serves from the new store also after a restart, whatever STORAGE_PLUGIN is.",
     "gallery-admin mirror switch --yes", delete_options, switch_over},
    {"mirror stop", "", "end the mirror at one revision of the store",
     "The mirror must follow. Writes are delayed for less than a second, so that it becomes\n"
     "complete as of one revision. A verification in progress ends first.",
     "gallery-admin mirror stop --yes", stop_options, stop},
    {"mirror forget", "", "forget a mirror that has ended", "The store of the mirror is not changed.",
     "gallery-admin mirror forget --yes", delete_options, forget},
}};

}  // namespace

std::span<const command> mirror_commands() {
    return commands;
}

}  // namespace gallery::admin
