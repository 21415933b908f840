// SPDX-License-Identifier: Apache-2.0
// The reports for the terminal and for programs.
#include "load/report.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

namespace gallery::load {

namespace {

namespace json = boost::json;

[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...) {
    std::array<char, 400> out{};
    va_list values;
    va_start(values, format);
    const int size = std::vsnprintf(out.data(), out.size(), format, values);
    va_end(values);
    return {out.data(), std::min(out.size() - 1, static_cast<std::size_t>(std::max(size, 0)))};
}

std::string row_of(std::string_view name, const operation_totals& of, double seconds) {
    const auto text = [&of](double percent) {
        return latency_text(static_cast<double>(of.latency.percentile(percent)));
    };
    return formatted("  %-11.*s %10llu %9.1f %8llu %10s %10s %10s %10s %10s\n", static_cast<int>(name.size()),
                     name.data(), static_cast<unsigned long long>(of.count()),
                     seconds > 0 ? static_cast<double>(of.count()) / seconds : 0,
                     static_cast<unsigned long long>(of.errors()), text(50).c_str(), text(95).c_str(),
                     text(99).c_str(), text(99.9).c_str(),
                     latency_text(static_cast<double>(of.latency.max())).c_str());
}

json::object latencies(const histogram& of) {
    json::object out;
    for (const auto& [name, percent] : std::array<std::pair<const char*, double>, 6>{
             {{"p50", 50}, {"p75", 75}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"p99.9", 99.9}}})
        out[name] = of.percentile(percent);
    out["mean"] = of.mean();
    out["max"] = of.max();
    return out;
}

json::object json_of_totals(const operation_totals& of, double seconds) {
    json::object out;
    out["requests"] = of.count();
    out["requestsPerSecond"] = seconds > 0 ? static_cast<double>(of.count()) / seconds : 0;
    out["receivedBytes"] = of.bytes;
    out["sentBytes"] = of.sent_bytes;
    json::object verdicts;
    for (std::size_t i = 0; i < verdict_names.size(); ++i)
        verdicts[verdict_names[i]] = of.verdicts[i];
    out["outcomes"] = std::move(verdicts);
    out["latencyMicroseconds"] = latencies(of.latency);
    out["serviceMicroseconds"] = latencies(of.service);
    return out;
}

}  // namespace

double mean_cpu(const std::vector<process_sample>& samples) noexcept {
    double sum = 0;
    std::size_t count = 0;
    for (const auto& one : samples) {
        if (samples.size() > 2 && &one == &samples.front()) continue;
        sum += one.cpu;
        ++count;
    }
    return count == 0 ? 0 : sum / static_cast<double>(count);
}

std::vector<std::string> warnings_of(const run_report& run) {
    constexpr double busy = 0.85;
    constexpr std::uint64_t late = 5000;
    std::vector<std::string> out;
    if (run.figures.cpu_share() > busy) {
        out.push_back("the generator used " + formatted("%.0f", run.figures.cpu_share() * 100) +
                      " % of a processor: latencies may be its own. Use another machine, or a lower rate");
    }
    if (run.figures.lag.percentile(99) > late) {
        out.push_back("the generator sent requests late by up to " +
                      latency_text(static_cast<double>(run.figures.lag.percentile(99))) +
                      " (p99): it did not get enough processor time");
    }
    if (run.figures.is_interrupted) out.emplace_back("the run was interrupted");
    return out;
}

std::string text_of_second(const second_row& row, double whole_seconds) {
    return formatted("%u/%.0f s  %llu requests/s  p50 %s  p99 %s  %llu errors  %llu waiting", row.second + 1,
                     whole_seconds, static_cast<unsigned long long>(row.done),
                     latency_text(static_cast<double>(row.p50)).c_str(),
                     latency_text(static_cast<double>(row.p99)).c_str(),
                     static_cast<unsigned long long>(row.errors),
                     static_cast<unsigned long long>(row.waiting));
}

std::string text_of_run(const run_report& run) {
    const auto& totals = run.figures.totals;
    auto out =
        formatted("%s: %.1f visits/s, %.1f requests/s, %zu connections, %.1f s measured\n\n",
                  run.scenario.c_str(), run.visit_rate, run.request_rate, run.connections, totals.seconds);
    out +=
        "  request       requests  a second   errors        p50        p95        p99      p99.9        "
        "max\n";
    for (std::size_t i = 0; i < operation_count; ++i)
        if (totals.by_operation[i].count() > 0)
            out += row_of(operation_names[i], totals.by_operation[i], totals.seconds);
    out += row_of("all", totals.all(), totals.seconds);
    if (!run.figures.faults.empty()) {
        out += "\nfaults:\n";
        for (const auto& [what, count] : run.figures.faults)
            out += formatted("  %8llu  ", static_cast<unsigned long long>(count)) + what + "\n";
    }
    out += "\nthresholds:\n";
    for (const auto& one : run.thresholds)
        out += std::string(one.holds ? "  holds   " : "  BROKEN  ") + one.text + ": " + one.found + "\n";
    out += formatted(
        "\ngenerator: %.1f %% of a processor, %.1f us a request\n", run.figures.cpu_share() * 100,
        run.figures.requests > 0 ? run.figures.cpu_seconds * 1e6 / static_cast<double>(run.figures.requests)
                                 : 0);
    if (!run.server.empty()) {
        out += formatted("server: %.2f processors, %.0f MiB resident\n", mean_cpu(run.server),
                         static_cast<double>(run.server.back().memory) / 1048576);
    }
    for (const auto& one : warnings_of(run))
        out += "warning: " + one + "\n";
    return out;
}

std::string text_of_limit(const limit_report& found) {
    std::string out = "  requests/s   achieved        p50        p99   errors  server CPU\n";
    for (const auto& one : found.steps) {
        out += formatted("  %10.1f %10.1f %10s %10s %7.2f%% %11.2f  ", one.request_rate, one.achieved,
                         latency_text(one.p50).c_str(), latency_text(one.p99).c_str(), one.errors * 100,
                         one.server_cpu) +
               (one.holds ? "holds" : one.broken) + "\n";
    }
    out += found.limit > 0 ? formatted("\nlimit: %.1f requests/s", found.limit)
                           : std::string("\nlimit: none; the thresholds do not hold at the first rate");
    return out + " (" + found.reason + ")\n";
}

json::object json_of_run(const run_report& run) {
    const auto& figures = run.figures;
    const auto& totals = figures.totals;
    json::object out;
    out["scenario"] = run.scenario;
    out["description"] = run.description;
    out["url"] = run.url;
    out["begun"] = run.begun;
    out["connections"] = run.connections;
    out["visitsPerSecond"] = run.visit_rate;
    out["intendedRequestsPerSecond"] = run.request_rate;
    out["measuredSeconds"] = totals.seconds;
    out["warmUpSeconds"] = run.warm_up;
    out["all"] = json_of_totals(totals.all(), totals.seconds);
    json::object operations;
    for (std::size_t i = 0; i < operation_count; ++i) {
        if (totals.by_operation[i].count() > 0)
            operations[operation_names[i]] = json_of_totals(totals.by_operation[i], totals.seconds);
    }
    out["requests"] = std::move(operations);
    json::array thresholds;
    for (const auto& one : run.thresholds)
        thresholds.push_back(
            json::object{{"threshold", one.text}, {"found", one.found}, {"holds", one.holds}});
    out["thresholds"] = std::move(thresholds);
    out["holds"] = all_hold(run.thresholds);
    json::object faults;
    for (const auto& [what, count] : figures.faults)
        faults[what] = count;
    out["faults"] = std::move(faults);
    json::array rows;
    for (const auto& one : figures.rows) {
        rows.push_back(json::object{{"second", one.second},
                                    {"intended", one.intended},
                                    {"done", one.done},
                                    {"errors", one.errors},
                                    {"bytes", one.bytes},
                                    {"p50", one.p50},
                                    {"p95", one.p95},
                                    {"p99", one.p99},
                                    {"max", one.max},
                                    {"waiting", one.waiting}});
    }
    out["seconds"] = std::move(rows);
    json::array server;
    for (const auto& one : run.server)
        server.push_back(
            json::object{{"second", one.second}, {"processors", one.cpu}, {"residentBytes", one.memory}});
    out["server"] = std::move(server);
    out["generator"] = json::object{{"processors", figures.cpu_share()},
                                    {"cpuSeconds", figures.cpu_seconds},
                                    {"requestsSent", figures.requests},
                                    {"connectionsOpened", figures.opened},
                                    {"lagMicroseconds", latencies(figures.lag)}};
    json::array warnings;
    for (const auto& one : warnings_of(run))
        warnings.emplace_back(one);
    out["warnings"] = std::move(warnings);
    return out;
}

json::object json_of_limit(const limit_report& found) {
    json::array steps;
    for (const auto& one : found.steps) {
        steps.push_back(json::object{{"requestsPerSecond", one.request_rate},
                                     {"achievedPerSecond", one.achieved},
                                     {"p50Microseconds", one.p50},
                                     {"p99Microseconds", one.p99},
                                     {"errors", one.errors},
                                     {"serverProcessors", one.server_cpu},
                                     {"generatorProcessors", one.generator_cpu},
                                     {"holds", one.holds},
                                     {"broken", one.broken}});
    }
    json::object out;
    out["limitRequestsPerSecond"] = found.limit;
    out["reason"] = found.reason;
    out["steps"] = std::move(steps);
    if (found.limit > 0) out["atTheLimit"] = json_of_run(found.last_good);
    return out;
}

}  // namespace gallery::load
