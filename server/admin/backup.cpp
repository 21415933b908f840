// SPDX-License-Identifier: Apache-2.0
// gallery-admin backup: a mirror of the running server that ends as soon as it is complete. The server makes
// it; this command starts it, waits and reports. If the command is interrupted, the server completes the
// backup.
#include "admin/commands.hpp"
#include "admin/mirror_client.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

/// Whether the server makes this backup already: an earlier command was interrupted.
bool is_in_progress(const json::object& now, const json::object& wanted) {
    const auto state = text_of(now, "state");
    const auto* mirror = now.if_contains("mirror");
    const bool has_ended = state == "none" || state == "stopped" || state == "failed";
    return !has_ended && flag_of(now, "backup") && mirror != nullptr && mirror->is_object() &&
           text_of(mirror->get_object(), "engine") == text_of(wanted, "engine") &&
           text_of(mirror->get_object(), "path") == text_of(wanted, "path");
}

json::object report_of(const json::object& ended, const json::object& wanted) {
    json::object out;
    out["engine"] = wanted.at("engine");
    out["path"] = wanted.at("path");
    const auto& completed = ended.at("completed").get_object();
    for (const char* name : {"revision", "images", "bytes", "keptVersions", "damaged", "time"})
        out[name] = number_of(completed, name);
    out["imagesTransferred"] = number_of(ended, "imagesCopied");
    out["bytesTransferred"] = number_of(ended, "bytesCopied");
    if (const auto* verified = ended.if_contains("verified")) out["verified"] = *verified;
    return out;
}

std::string sentence_of(const json::object& report) {
    const auto number = [&report](const char* name) { return std::to_string(number_of(report, name)); };
    std::string out = "the backup in " + text_of(report, "path") + " is complete as of revision " +
                      number("revision") + ": " + number("images") + " images (" + number("bytes") +
                      " bytes); " + number("imagesTransferred") + " images (" + number("bytesTransferred") +
                      " bytes) were transferred";
    if (number_of(report, "damaged") > 0) out += "; " + number("damaged") + " damaged items are missing";
    return out;
}

outcome<> backup(session& in) {
    std::error_code failed;
    const auto folder = std::filesystem::weakly_canonical(std::filesystem::absolute(in.operand(0)), failed);
    json::object asked;
    asked["engine"] = in.given.value("--engine").value_or("filesystem");
    asked["path"] = folder.string();
    asked["backup"] = true;
    asked["verify"] = in.given.has("--verify");
    asked["skipDamaged"] = in.given.has("--skip-damaged");
    asked["anySource"] = in.given.has("--any-source");
    auto begun = mirror_status(in);
    if (begun && is_in_progress(*begun, asked)) {
        in.out.note("the server makes this backup already, with the options of the earlier command");
    } else if (begun) {
        begun = in.server.post_object(std::string(mirror_target) + "/start", asked);
    }
    if (!begun) return begun.error();
    // Exactly this run: somebody else may stop it and start another one.
    const auto ended = watch_mirror(in, run_of(*begun), [](const json::object& now) {
        const auto state = text_of(now, "state");
        return state != "copying" && state != "following";
    });
    if (!ended) return ended.error();
    if (!is_complete(*ended)) {
        const auto problem = text_of(*ended, "problem");
        return failure{exit_code::refused,
                       "the backup is not complete: " + (problem.empty() ? "it was abandoned" : problem)};
    }
    const auto report = report_of(*ended, asked);
    in.out.done(sentence_of(report), report);
    return {};
}

constexpr std::array<option, 4> backup_options{{
    {"--engine", "NAME", "engine of the backup; default: filesystem"},
    {"--verify", "", "compare every image of both stores before the backup is complete"},
    {"--skip-damaged", "", "complete the backup without items that cannot be read"},
    {"--any-source", "", "continue a backup of another store; makes it equal to the server's store"},
}};

constexpr std::array<command, 1> commands{{
    {"backup", "DIR", "back up the store of a running server into a folder",
     "The folder is on the server's machine and below one of MIRROR_ALLOWED_PATHS (default: the\n"
     "data folder). It contains a complete store as of one revision. Repeated with the same\n"
     "folder, only changes are transferred. The last backup is not usable while the next one is\n"
     "made into the same folder. gallery-admin restore copies it into another store. Requires\n"
     "the login of a system administrator; API keys are refused.",
     "gallery-admin backup /backup/gallery/current --verify", backup_options, backup},
}};

}  // namespace

std::span<const command> backup_commands() {
    return commands;
}

}  // namespace gallery::admin
