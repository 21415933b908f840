// SPDX-License-Identifier: Apache-2.0
// gallery-admin backup: a mirror of the running server in a folder, ended when it is complete.
#include "admin/commands.hpp"
#include "admin/mirror_client.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr const char* start_target = "/api/system/mirror/start";
constexpr const char* stop_target = "/api/system/mirror/stop";
constexpr const char* verify_target = "/api/system/mirror/verify";

/// The mirror is stopped and forgotten, so that the next backup can start. What was copied stays.
void give_up(session& in) {
    json::object how;
    how["acceptDamage"] = true;
    static_cast<void>(in.server.post_object(stop_target, how));
    static_cast<void>(in.server.erase(mirror_target));
}

outcome<> verify_backup(session& in) {
    const auto begun = in.server.post_object(verify_target, json::object());
    if (!begun) return begun.error();
    const auto now = watch_mirror(in, [](const json::object& one) { return !flag_of(one, "verifying"); });
    if (!now) return now.error();
    const auto* verified = now->if_contains("verified");
    if (verified == nullptr || !verified->is_object())
        return failure{exit_code::server_fault, "the backup was not verified: " + text_of(*now, "problem")};
    if (!flag_of(verified->get_object(), "same"))
        return failure{exit_code::refused, "the backup differs from the store; gallery-admin mirror verify"};
    return {};
}

/// From the start of the mirror to its end.
outcome<json::object> complete(session& in) {
    const auto now = watch_mirror(in, [](const json::object& one) {
        const auto state = text_of(one, "state");
        return state != "copying";
    });
    if (!now) return now.error();
    if (text_of(*now, "state") != "following") {
        return failure{exit_code::refused, "the backup is not complete: " + text_of(*now, "problem") +
                                               ". Run the command again to continue"};
    }
    if (in.given.has("--verify")) {
        if (auto verified = verify_backup(in); !verified) return verified.error();
    }
    json::object how;
    how["acceptDamage"] = in.given.has("--skip-damaged");
    auto stopped = in.server.post_object(stop_target, how);
    if (stopped && !flag_of(*stopped, "complete"))
        return failure{exit_code::refused, "the backup is not complete. Run the command again to continue"};
    return stopped;
}

/// Whether the server already makes this backup: the command was interrupted, and the server was not.
bool is_under_way(const json::object& now, const json::object& wanted) {
    const auto state = text_of(now, "state");
    const auto* mirror = now.if_contains("mirror");
    return state != "none" && state != "stopped" && mirror != nullptr && mirror->is_object() &&
           text_of(mirror->get_object(), "engine") == text_of(wanted, "engine") &&
           text_of(mirror->get_object(), "path") == text_of(wanted, "path");
}

outcome<> backup(session& in) {
    std::error_code failed;
    const auto folder = std::filesystem::weakly_canonical(std::filesystem::absolute(in.operand(0)), failed);
    auto asked = mirror_request(in.given.value("--engine").value_or("filesystem"), folder.string(), "",
                                in.given.has("--any-source"));
    if (!asked) return asked.error();
    const auto before = mirror_status(in);
    if (!before) return before.error();
    if (!is_under_way(*before, *asked)) {
        const auto started = in.server.post_object(start_target, *asked);
        if (!started) return started.error();
    }
    auto done = complete(in);
    if (!done) {
        give_up(in);
        return done.error();
    }
    static_cast<void>(in.server.erase(mirror_target));
    in.out.done("the backup in " + folder.string() + " is complete as of revision " +
                    std::to_string(number_of(*done, "revision")) + "; " +
                    std::to_string(number_of(*done, "imagesCopied")) + " images (" +
                    std::to_string(number_of(*done, "bytesCopied")) + " bytes) were transferred",
                *done);
    return {};
}

constexpr std::array<option, 4> backup_options{{
    {"--engine", "NAME", "engine of the backup; default: filesystem"},
    {"--verify", "", "compare every image with the store before the backup is complete"},
    {"--skip-damaged", "", "complete the backup without images that cannot be read"},
    {"--any-source", "", "continue a backup of another store"},
}};

constexpr std::array<command, 1> commands{{
    {"backup", "DIR", "copy the store of the running server to a folder",
     "The folder is on the server's machine and below one of MIRROR_ALLOWED_PATHS (default: the\n"
     "data folder). It contains a complete store as of one revision; repeated with the same\n"
     "folder, only changes are transferred. gallery-admin restore copies it back.",
     "gallery-admin backup /backup/gallery", backup_options, backup},
}};

}  // namespace

std::span<const command> backup_commands() {
    return commands;
}

}  // namespace gallery::admin
