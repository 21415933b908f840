// SPDX-License-Identifier: Apache-2.0
// gallery-admin scrub: reads every stored image of a running server again, to find damage.
#include "admin/commands.hpp"
#include "admin/mirror_client.hpp"
#include "admin/progress_bar.hpp"
#include "config/values.hpp"

#include <array>
#include <chrono>
#include <string>
#include <thread>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr const char* scrub_target = "/api/system/scrub";
constexpr std::chrono::milliseconds look_again{200};

std::string scrub_target_of(const char* action) {
    return std::string(scrub_target) + "/" + action;
}

std::string rate_of(const json::object& from) {
    const auto rate = number_of(from, "bytesPerSecond");
    return rate == 0 ? "no limit" : std::to_string(rate) + " bytes per second";
}

std::string damage_of(const json::object& from) {
    std::string out = std::to_string(number_of(from, "damagedBodies"));
    const auto* damaged = from.if_contains("damaged");
    if (damaged == nullptr || !damaged->is_array()) return out;
    for (const auto& each : damaged->get_array()) {
        if (!each.is_object()) continue;
        const auto& one = each.get_object();
        out += "\n  " + text_of(one, "body") + " of '" + text_of(one, "key") + "' of tenant " +
               id_of(one, "tenantId") + ": " + text_of(one, "problem");
    }
    return out;
}

std::string due_of(const json::object& from) {
    return text_of(from, "state") == "idle" ? time_of(from, "dueTime") : std::string();
}

constexpr std::array<field, 11> fields{{
    {"state", [](const json::object& one) { return text_of(one, "state"); }},
    {"started", [](const json::object& one) { return time_of(one, "startedTime"); }},
    {"completed", [](const json::object& one) { return time_of(one, "completedTime"); }},
    {"next", due_of},
    {"rate", rate_of},
    {"images", [](const json::object& one) { return progress_of(one, "images"); }},
    {"kept versions", [](const json::object& one) { return progress_of(one, "keptVersions"); }},
    {"bytes", [](const json::object& one) { return progress_of(one, "bytes"); }},
    {"bodies", [](const json::object& one) { return std::to_string(number_of(one, "bodies")); }},
    {"problem", [](const json::object& one) { return text_of(one, "problem"); }},
    {"damaged", damage_of},
}};

/// Waits until nothing is read, on whichever server.
outcome<json::object> watch_scrub(session& in) {
    progress_bar bar(!in.given.has("--json"));
    for (;;) {
        auto now = state_at(in, scrub_target);
        if (!now || text_of(*now, "state") == "idle") return now;
        bar.show(progress_figures_of(*now));
        std::this_thread::sleep_for(look_again);
    }
}

/// Prints the state. Fails if it is that of a pass that has found damage.
outcome<> show_scrub(session& in, const json::object& now) {
    in.out.one(now, fields);
    if (!in.given.has("--watch")) return {};
    if (const auto problem = text_of(now, "problem"); !problem.empty())
        return failure{exit_code::refused, "the scrub is not complete: " + problem};
    const auto damaged = number_of(now, "damagedBodies");
    if (damaged == 0) return {};
    return failure{exit_code::refused,
                   std::to_string(damaged) + (damaged == 1 ? " body is" : " bodies are") +
                       " damaged. Restore the images from a backup, or upload them again"};
}

outcome<> start_scrub(session& in) {
    json::object asked;
    if (const auto rate = in.given.value("--rate")) {
        const auto bytes = config::parse_size(*rate);
        if (!bytes)
            return usage("--rate: expected a number of bytes or a size such as 20MiB, 0 for no limit");
        asked["bytesPerSecond"] = *bytes;
    }
    auto now = in.server.post_object(scrub_target_of("start"), asked);
    if (now && in.given.has("--watch")) now = watch_scrub(in);
    if (!now) return now.error();
    return show_scrub(in, *now);
}

outcome<> scrub_status(session& in) {
    auto now = in.given.has("--watch") ? watch_scrub(in) : state_at(in, scrub_target);
    if (!now) return now.error();
    return show_scrub(in, *now);
}

outcome<> stop_scrub(session& in) {
    const auto now = in.server.post_object(scrub_target_of("stop"), json::object());
    if (!now) return now.error();
    return show_scrub(in, *now);
}

constexpr option watch{"--watch", "", "wait until the pass has ended, and show the progress"};

constexpr std::array<option, 2> start_options{{
    {"--rate", "BYTES", "bytes per second for this pass, for instance 20MiB; 0: no limit"},
    watch,
}};
constexpr std::array<option, 1> status_options{{watch}};

constexpr std::array<command, 3> commands{{
    {"scrub start", "", "read every stored image again and compare it with its hash",
     "The server does this by itself at the interval of STORAGE_SCRUB_INTERVAL. Images that are\n"
     "known to be damaged are read first. If a pass is in progress, it goes on, with the new\n"
     "rate. Requests are served meanwhile. With --watch, the exit code is 1 if damage was found.",
     "gallery-admin scrub start --rate 50MiB --watch", start_options, start_scrub},
    {"scrub status", "", "show how far the scrub is, and what is damaged", "",
     "gallery-admin scrub status --watch", status_options, scrub_status},
    {"scrub stop",
     "",
     "end the pass in progress",
     "The next pass begins after a whole interval, or with scrub start.",
     "gallery-admin scrub stop",
     {},
     stop_scrub},
}};

}  // namespace

std::span<const command> scrub_commands() {
    return commands;
}

}  // namespace gallery::admin
