// SPDX-License-Identifier: Apache-2.0
// gallery-admin mirror: a second store that follows the store of a running server.
#include "admin/commands.hpp"
#include "admin/mirror_client.hpp"

#include <array>

namespace gallery::admin {

namespace {

namespace json = boost::json;

outcome<> start(session& in) {
    auto asked = mirror_request(in.operand(0), in.given.value("--path").value_or(""),
                                in.given.value("--option").value_or(""), in.given.has("--any-source"));
    if (!asked) return asked.error();
    const auto now = in.server.post_object(std::string(mirror_target) + "/start", *asked);
    if (!now) return now.error();
    in.out.one(*now, mirror_fields());
    return {};
}

outcome<> status(session& in) {
    outcome<json::object> now = json::object();
    if (in.given.has("--watch")) {
        now = watch_mirror(in, [](const json::object& one) {
            const auto state = text_of(one, "state");
            return state != "copying" && !flag_of(one, "verifying");
        });
    } else {
        now = mirror_status(in);
    }
    if (!now) return now.error();
    in.out.one(*now, mirror_fields());
    return {};
}

outcome<> verify_mirror(session& in) {
    const auto begun = in.server.post_object(std::string(mirror_target) + "/verify", json::object());
    if (!begun) return begun.error();
    const auto now = watch_mirror(in, [](const json::object& one) { return !flag_of(one, "verifying"); });
    if (!now) return now.error();
    in.out.one(*now, mirror_fields());
    const auto* verified = now->if_contains("verified");
    if (verified == nullptr || !verified->is_object() || !flag_of(verified->get_object(), "same"))
        return failure{exit_code::refused, "the mirror was not verified, or differs from the store"};
    return {};
}

outcome<> stop(session& in) {
    if (auto agreed = consent(in, "stop the mirror?"); !agreed) return agreed;
    json::object how;
    how["acceptDamage"] = in.given.has("--accept-damage");
    const auto now = in.server.post_object(std::string(mirror_target) + "/stop", how);
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

constexpr std::array<option, 3> start_options{{
    {"--path", "PATH", "folder of the mirror, absolute or below the data folder"},
    {"--option", "NAME=VALUE", "option of the engine; may be repeated", "", true},
    {"--any-source", "", "continue a copy of another store; makes it equal to the server's store"},
}};
constexpr std::array<option, 1> status_options{{
    {"--watch", "", "wait until nothing is copied or verified, and show the progress"},
}};
constexpr std::array<option, 2> stop_options{{
    {"--accept-damage", "", "complete the mirror without images that cannot be read"},
    {"--yes", "", "do not ask for confirmation; required without a terminal"},
}};

constexpr std::array<command, 5> commands{{
    {"mirror start", "ENGINE", "copy the store to a second one and follow it",
     "The folder must be below one of MIRROR_ALLOWED_PATHS (default: the data folder), and new,\n"
     "empty, or an earlier mirror of the same store. The mirror goes on after a restart.",
     "gallery-admin mirror start filesystem --path mirror", start_options, start},
    {"mirror status", "", "show the state of the mirror", "", "gallery-admin mirror status --watch",
     status_options, status},
    {"mirror verify",
     "",
     "compare all images of the store and of the mirror",
     "Reads and hashes every image of both stores while the server is running. Exit code 1 if\n"
     "there are differences.",
     "gallery-admin mirror verify",
     {},
     verify_mirror},
    {"mirror stop", "", "end the mirror at one revision of the store",
     "Writes are held for a moment, so that the mirror becomes complete as of one revision. A\n"
     "mirror that is still being copied remains incomplete; start it again to continue.",
     "gallery-admin mirror stop --yes", stop_options, stop},
    {"mirror forget", "", "forget a mirror that is stopped", "The store of the mirror is not changed.",
     "gallery-admin mirror forget --yes", delete_options, forget},
}};

}  // namespace

std::span<const command> mirror_commands() {
    return commands;
}

}  // namespace gallery::admin
