// SPDX-License-Identifier: Apache-2.0
#include "load/commands.hpp"

#include "admin/files.hpp"
#include "admin/session.hpp"
#include "load/runner.hpp"
#include "load/scenario.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

namespace gallery::load {

namespace {

using admin::exit_code;
using admin::failure;
using admin::option;
using admin::session;

constexpr std::array<option, 4> plan_options{{
    {"--connections", "N", "connections to the server; default: the scenario's"},
    {"--tenants", "N", "tenants to create; default: the scenario's"},
    {"--images", "N", "images to create in each tenant; default: the scenario's"},
    {"--threshold", "TEXT", "one more threshold, such as 'p99 < 50ms'; may be repeated", {}, true},
}};
constexpr std::array<option, 6> run_options{{
    {"--html", "FILE", "write the report as an HTML page"},
    {"--report", "FILE", "write the report as JSON"},
    {"--server-pid", "N", "the server's process; default: found if it is on this machine"},
    {"--seed", "N", "of the random numbers; the same seed repeats a run; default: 1"},
    {"--keep", "", "do not delete the tenants afterwards"},
    {"--quiet", "", "show no progress"},
}};
constexpr auto run_all_options = admin::join(
    std::array<option, 2>{
        {{"--rate", "N", "visits a second; default: the scenario's"},
         {"--duration", "TIME", "such as 30s or 5m, after the ramp; default: the scenario's"}}},
    admin::join(plan_options, run_options));
constexpr auto limit_all_options = admin::join(
    std::array<option, 2>{{{"--start", "N", "the first rate, visits a second; default: the scenario's"},
                           {"--hold", "TIME", "how long each rate is measured; default: 15s"}}},
    admin::join(plan_options, run_options));

constexpr std::string_view program_exit_codes = R"(
exit codes:
   0  done, and all thresholds hold
   1  refused by the server, or a scenario with a mistake
   2  a threshold does not hold, or an answer was stale or wrong
   3  no such scenario
  64  wrong command line
  69  no server answers at the URL, or its certificate is not trusted
  70  a fault of the server during the preparation
  74  a report could not be written
  75  too many attempts, or the server is busy; try again later
  77  wrong credentials, or not those of a system administrator
  78  no credentials, or a wrong value in the environment
)";
constexpr std::string_view program_credentials = R"(
credentials of a system administrator (never arguments, because every user of the machine
can read those):
  GALLERY_API_KEY                   an API key
  GALLERY_USER, GALLERY_PASSWORD    a user's e-mail address and password; without
                                    GALLERY_PASSWORD it is read from the terminal
)";

/// An option with a number, if it was given.
admin::outcome<> set_number(const session& in, std::string_view name, std::size_t most, std::size_t& to) {
    const auto text = in.given.value(name);
    if (!text) return {};
    const auto value = admin::whole_number(*text, 1, most);
    if (!value)
        return admin::usage("the value of " + std::string(name) + " must be a number from 1 to " +
                            std::to_string(most));
    to = *value;
    return {};
}

/// Visits a second.
admin::outcome<std::optional<double>> rate_option(const session& in, std::string_view name) {
    const auto text = in.given.value(name);
    if (!text) return std::optional<double>();
    double value = 0;
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
    constexpr double most = 1e7;
    if (failed != std::errc() || end != text->data() + text->size() || !(value > 0) || value > most)
        return admin::usage("the value of " + std::string(name) +
                            " must be a number of visits a second, above 0");
    return std::optional<double>(value);
}

admin::outcome<std::optional<std::chrono::nanoseconds>> duration_option(const session& in,
                                                                        std::string_view name) {
    const auto text = in.given.value(name);
    if (!text) return std::optional<std::chrono::nanoseconds>();
    const auto value = parse_duration(*text);
    if (!value || value->count() == 0)
        return admin::usage("the value of " + std::string(name) + " must be a duration, such as 30s");
    return std::optional<std::chrono::nanoseconds>(*value);
}

failure scenario_failure(const error& what) {
    return {what.code == errc::not_found ? exit_code::not_found : exit_code::refused, what.message};
}

/// The scenario of the first operand with the options that all commands with a run have.
admin::outcome<scenario> plan_of(const session& in) {
    auto plan = find_scenario(in.operand(0));
    if (!plan) return scenario_failure(plan.error());
    if (auto set = set_number(in, "--connections", 100'000, plan->connections); !set) return set.error();
    if (auto set = set_number(in, "--tenants", 1000, plan->tenants); !set) return set.error();
    if (auto set = set_number(in, "--images", 1'000'000, plan->images); !set) return set.error();
    if (in.given.has("--threshold")) {
        for (const auto& text : in.given.values("--threshold")) {
            auto one = parse_threshold(text);
            if (!one) return admin::usage(one.error().message);
            plan->thresholds.push_back(std::move(*one));
        }
    }
    return std::move(*plan);
}

/// With the options of `run`.
admin::outcome<scenario> plan_of_run(const session& in) {
    auto plan = plan_of(in);
    if (!plan) return plan.error();
    const auto rate = rate_option(in, "--rate");
    if (!rate) return rate.error();
    if (*rate) plan->set_rate(**rate);
    const auto length = duration_option(in, "--duration");
    if (!length) return length.error();
    if (*length) {
        // The last stage becomes so long that all of it is. A ramp that would be longer is shortened with the
        // warm-up.
        auto& last = plan->stages.back();
        last.duration = **length;
        for (auto& one : plan->stages)
            if (&one != &last) one.duration = std::min(one.duration, **length / 5);
        plan->warm_up = std::min(plan->warm_up, plan->duration() - **length);
    }
    return std::move(*plan);
}

admin::outcome<run_settings> settings_of(const session& in) {
    run_settings out;
    std::size_t seed = 1;
    if (auto set = set_number(in, "--seed", std::numeric_limits<std::uint32_t>::max(), seed); !set)
        return set.error();
    out.seed = seed;
    out.is_quiet = in.given.has("--quiet") || in.given.has("--json");
    std::size_t pid = 0;
    if (auto set = set_number(in, "--server-pid", std::numeric_limits<pid_t>::max(), pid); !set)
        return set.error();
    const auto& where = in.server.client().where;
    if (pid != 0) {
        out.server = static_cast<pid_t>(pid);
    } else if (where.is_this_machine()) {
        out.server = listener_of(static_cast<std::uint16_t>(std::strtoul(where.port.c_str(), nullptr, 10)));
    }
    return out;
}

admin::outcome<> write_reports(const session& in, const std::string& html, const boost::json::object& json) {
    if (const auto path = in.given.value("--html")) {
        if (auto done = admin::write_file(*path, html); !done) return done;
    }
    if (const auto path = in.given.value("--report")) {
        if (auto done = admin::write_file(*path, boost::json::serialize(json) + "\n"); !done) return done;
    }
    return {};
}

void print(const session& in, const std::string& text, const boost::json::object& json) {
    const auto out = in.given.has("--json") ? boost::json::serialize(json) + "\n" : text;
    std::fwrite(out.data(), 1, out.size(), stdout);
}

/// Deletes the tenants, unless they are to be kept.
admin::outcome<> clean_up(const session& in, seeded_data& data) {
    if (!in.given.has("--keep")) return data.remove();
    data.keep();
    return {};
}

admin::outcome<> run_scenario(session& in) {
    const auto plan = plan_of_run(in);
    if (!plan) return plan.error();
    const auto settings = settings_of(in);
    if (!settings) return settings.error();
    seeded_data data(in);
    if (auto made = data.create(*plan, settings->seed); !made) return made;
    auto report = run_once(*plan, data, in.server.client(), *settings);
    if (!report) return report.error();
    const auto json = json_of_run(*report);
    print(in, text_of_run(*report), json);
    if (auto written = write_reports(in, html_of_run(*report), json); !written) return written;
    if (auto cleaned = clean_up(in, data); !cleaned) return cleaned;
    if (!all_hold(report->thresholds)) return failure{exit_code::too_slow, "a threshold does not hold"};
    return {};
}

admin::outcome<> search_limit(session& in) {
    const auto plan = plan_of(in);
    if (!plan) return plan.error();
    const auto start = rate_option(in, "--start");
    if (!start) return start.error();
    const auto hold = duration_option(in, "--hold");
    if (!hold) return hold.error();
    const auto settings = settings_of(in);
    if (!settings) return settings.error();
    seeded_data data(in);
    if (auto made = data.create(*plan, settings->seed); !made) return made;
    const auto on_step = [&in](const limit_step& one) {
        if (in.given.has("--quiet")) return;
        std::array<char, 200> line{};
        std::snprintf(line.data(), line.size(), "%.1f requests/s: p99 %s, %s", one.request_rate,
                      latency_text(one.p99).c_str(), one.holds ? "holds" : one.broken.c_str());
        in.out.note(line.data());
    };
    auto report =
        find_limit(*plan, start->value_or(plan->highest_rate()), hold->value_or(std::chrono::seconds(15)),
                   data, in.server.client(), *settings, on_step);
    if (!report) return report.error();
    const auto json = json_of_limit(*report);
    print(in, text_of_limit(*report), json);
    if (auto written = write_reports(in, html_of_limit(*report), json); !written) return written;
    if (auto cleaned = clean_up(in, data); !cleaned) return cleaned;
    if (report->limit == 0)
        return failure{exit_code::too_slow, "the thresholds do not hold at the first rate"};
    return {};
}

admin::outcome<> show_scenarios(session& in) {
    if (in.has_operand(0)) {
        for (const auto& one : builtin_scenarios()) {
            if (one.name != in.operand(0)) continue;
            std::fwrite(one.yaml.data(), 1, one.yaml.size(), stdout);
            return {};
        }
        return failure{
            exit_code::not_found,
            "'" + in.operand(0) + "' is not a built-in scenario. gallery-load scenarios lists them"};
    }
    static constexpr std::array<admin::field, 2> fields{{
        {"name", [](const boost::json::object& one) { return admin::text_of(one, "name"); }},
        {"description", [](const boost::json::object& one) { return admin::text_of(one, "description"); }},
    }};
    boost::json::array rows;
    for (const auto& one : builtin_scenarios()) {
        const auto parsed = parse_scenario(one.yaml, std::string(one.name));
        if (!parsed) return scenario_failure(parsed.error());
        rows.push_back(boost::json::object{{"name", one.name}, {"description", parsed->description}});
    }
    in.out.list(rows, fields);
    return {};
}

admin::outcome<> check_scenario(session& in) {
    const auto plan = find_scenario(in.operand(0));
    if (!plan) return scenario_failure(plan.error());
    std::array<char, 200> line{};
    std::snprintf(line.data(), line.size(), "%.1f visits/s, %.1f requests/s, for %.0f s",
                  plan->highest_rate(), plan->highest_rate() * plan->requests_per_visit(),
                  std::chrono::duration<double>(plan->duration()).count());
    in.out.done(
        std::string(line.data()) + "; the scenario is valid",
        boost::json::object{{"visitsPerSecond", plan->highest_rate()},
                            {"requestsPerSecond", plan->highest_rate() * plan->requests_per_visit()}});
    return {};
}

admin::outcome<> clean(session& in) {
    if (auto agreed = admin::consent(in, "Delete all tenants whose titles begin with 'gallery-load '?");
        !agreed)
        return agreed;
    const auto count = remove_all_seeded(in);
    if (!count) return count.error();
    in.out.done("deleted " + std::to_string(*count) + (*count == 1 ? " tenant" : " tenants"),
                boost::json::object{{"deleted", *count}});
    return {};
}

constexpr std::array<admin::command, 5> commands{{
    {"run", "SCENARIO", "run a scenario and report whether its thresholds hold",
     R"(SCENARIO is the name of a built-in scenario or a file. Creates tenants with images,
sends the requests of the scenario at fixed times, checks the answers, and deletes
the tenants. Latencies count from the time at which a request was to be sent, so that
a server that stalls does not hide it.)",
     "gallery-load run browse --rate 50 --duration 2m --html report.html", run_all_options, run_scenario},
    {"find-limit", "SCENARIO", "raise the rate of a scenario until a threshold breaks",
     R"(Runs the scenario at rising rates and reports the highest one at which all of its
thresholds hold. The ramp and the duration of the scenario are not used.)",
     "gallery-load find-limit dashboard-wall --threshold 'p99 < 20ms' --html limit.html", limit_all_options,
     search_limit},
    {"scenarios",
     "[NAME]",
     "list the built-in scenarios, or print one",
     "A printed scenario is a file to copy and to change.",
     "gallery-load scenarios browse > mine.yml",
     {},
     show_scenarios},
    {"check",
     "SCENARIO",
     "check a scenario without running it",
     "Prints the rate of requests that its visits amount to. Sends no request.",
     "gallery-load check mine.yml",
     {},
     check_scenario},
    {"clean", "", "delete the tenants that interrupted runs have left",
     "Runs that are still going on lose their tenants, too.", "gallery-load clean --yes",
     admin::delete_options, clean},
}};

const std::vector<const admin::command*>& load_commands() {
    static const auto all = [] {
        std::vector<const admin::command*> out;
        for (const auto& one : commands)
            out.push_back(&one);
        return out;
    }();
    return all;
}

constexpr admin::program this_program{
    "gallery-load",
    "measure a gallery server under load",
    "Sends the requests of many users to a gallery server and measures how it answers. Use it\n"
    "on a server without other clients.",
    load_commands,
    program_credentials,
    program_exit_codes,
    "export GALLERY_USER=sysadmin@gallery.local\n"
    "gallery-load run mixed --url http://127.0.0.1:8080 --html report.html",
    "gallery-admin(1), gallery-server(8)"};

}  // namespace

const admin::program& load_program() noexcept {
    return this_program;
}

}  // namespace gallery::load
