// SPDX-License-Identifier: Apache-2.0
#include "http/html.hpp"
#include "load/plot.hpp"
#include "load/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace gallery::load {

namespace {

constexpr std::string_view page_begin = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>gallery-load</title><style>
body{font:15px/1.45 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#1d2430;background:#fff}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.8em}table{border-collapse:collapse;width:100%}
th,td{padding:.25em .6em;text-align:right;border-bottom:1px solid #dde2ea}th:first-child,td:first-child{text-align:left}
.ok{color:#13733a}.bad{color:#b3261e;font-weight:600}svg{width:100%;margin:.8em 0;font:12px system-ui,sans-serif;fill:#3a4353}
svg .grid{stroke:#e3e7ee}svg .title{font-weight:600}.note{color:#8a4b00}
</style></head><body>
)";
constexpr std::string_view page_end = "</body></html>\n";
constexpr std::string_view blue = "#1f6feb", orange = "#c2620e", red = "#c62828", green = "#1b7f4b";

std::string decimals(double value, int digits) {
    std::array<char, 48> out{};
    std::snprintf(out.data(), out.size(), "%.*f", digits, value);
    return out.data();
}

std::string cell(std::string_view text, std::string_view tag = "td") {
    return "<" + std::string(tag) + ">" + http::escape_html(text) + "</" + std::string(tag) + ">";
}

std::string heading_row(const std::vector<std::string_view>& names) {
    std::string out = "<table><tr>";
    for (const auto name : names)
        out += cell(name, "th");
    return out + "</tr>\n";
}

std::string totals_row(std::string_view name, const operation_totals& of, double seconds) {
    std::string out = "<tr>" + cell(name) + cell(std::to_string(of.count())) +
                      cell(decimals(seconds > 0 ? static_cast<double>(of.count()) / seconds : 0, 1)) +
                      cell(std::to_string(of.errors()));
    for (const double percent : {50.0, 95.0, 99.0, 99.9})
        out += cell(latency_text(static_cast<double>(of.latency.percentile(percent))));
    return out + cell(latency_text(static_cast<double>(of.latency.max()))) + "</tr>\n";
}

template <class Row, class Value>
plot_line line_of(std::string name, std::string_view colour, const std::vector<Row>& rows, Value&& value) {
    plot_line out{std::move(name), colour, {}};
    for (const auto& one : rows)
        out.points.push_back({static_cast<double>(one.second), value(one)});
    return out;
}

/// The whole distribution: each percentile up to the one that a single request makes up.
std::string percentile_plot(const run_totals& totals) {
    const auto all = totals.all();
    plot out{"Latency by percentile", "nines: 1 is p90, 2 is p99, 3 is p99.9", "ms", {}, false};
    plot_line from_intended{"from the intended time", blue, {}};
    plot_line from_sending{"from the sending", orange, {}};
    const auto count = static_cast<double>(all.count());
    for (double nines = 0; nines <= 5; nines += 0.05) {
        const double above = std::pow(10, -nines);
        if (above * count < 1) break;
        const double percent = 100 * (1 - above);
        from_intended.points.push_back({nines, static_cast<double>(all.latency.percentile(percent)) / 1e3});
        from_sending.points.push_back({nines, static_cast<double>(all.service.percentile(percent)) / 1e3});
    }
    out.lines = {std::move(from_intended), std::move(from_sending)};
    return svg_of(out);
}

std::string plots_of(const run_report& run) {
    const auto& rows = run.figures.rows;
    std::string out = "<h2>Over time</h2>\n";
    out += svg_of({"Latency",
                   "s",
                   "us",
                   {line_of("p50", green, rows, [](const auto& r) { return static_cast<double>(r.p50); }),
                    line_of("p95", blue, rows, [](const auto& r) { return static_cast<double>(r.p95); }),
                    line_of("p99", orange, rows, [](const auto& r) { return static_cast<double>(r.p99); }),
                    line_of("max", red, rows, [](const auto& r) { return static_cast<double>(r.max); })},
                   true});
    out += svg_of(
        {"Requests a second",
         "s",
         "",
         {line_of("intended", orange, rows, [](const auto& r) { return static_cast<double>(r.intended); }),
          line_of("answered", blue, rows, [](const auto& r) { return static_cast<double>(r.done); })}});
    out +=
        svg_of({"Megabytes a second", "s", "MB", {line_of("sent and received", blue, rows, [](const auto& r) {
                    return static_cast<double>(r.bytes) / 1e6;
                })}});
    out += svg_of(
        {"Errors a second, and requests that wait for a connection",
         "s",
         "",
         {line_of("errors", red, rows, [](const auto& r) { return static_cast<double>(r.errors); }),
          line_of("waiting", orange, rows, [](const auto& r) { return static_cast<double>(r.waiting); })}});
    if (!run.server.empty()) {
        out += svg_of({"Processors that the server uses",
                       "s",
                       "",
                       {line_of("processors", blue, run.server, [](const auto& r) { return r.cpu; })}});
        out += svg_of({"Resident memory of the server",
                       "s",
                       "MiB",
                       {line_of("memory", green, run.server,
                                [](const auto& r) { return static_cast<double>(r.memory) / 1048576; })}});
    }
    return out + "<h2>Distribution</h2>\n" + percentile_plot(run.figures.totals);
}

std::string body_of_run(const run_report& run) {
    const auto& totals = run.figures.totals;
    std::string out = "<p>" + http::escape_html(run.description) + "</p><p>" + http::escape_html(run.url) +
                      ", " + http::escape_html(run.begun) + ", " + std::to_string(run.connections) +
                      " connections, " + decimals(run.visit_rate, 1) + " visits a second (" +
                      decimals(run.request_rate, 1) + " requests a second), " + decimals(totals.seconds, 1) +
                      " s measured after " + decimals(run.warm_up, 0) + " s of warm-up.</p>\n";
    for (const auto& one : warnings_of(run))
        out += "<p class=\"note\">Warning: " + http::escape_html(one) + ".</p>\n";
    out += "<h2>Thresholds</h2>\n" + heading_row({"threshold", "found", "outcome"});
    for (const auto& one : run.thresholds) {
        out += "<tr>" + cell(one.text) + cell(one.found) + "<td class=\"" +
               (one.holds ? "ok\">holds" : "bad\">broken") + "</td></tr>\n";
    }
    out += "</table>\n<h2>Requests</h2>\n<p>Latencies count from the intended time of each request.</p>" +
           heading_row({"request", "requests", "a second", "errors", "p50", "p95", "p99", "p99.9", "max"});
    for (std::size_t i = 0; i < operation_count; ++i) {
        if (totals.by_operation[i].count() > 0)
            out += totals_row(operation_names[i], totals.by_operation[i], totals.seconds);
    }
    out += totals_row("all", totals.all(), totals.seconds) + "</table>\n";
    if (!run.figures.faults.empty()) {
        out += "<h2>Faults</h2>\n" + heading_row({"fault", "requests"});
        for (const auto& [what, count] : run.figures.faults)
            out += "<tr>" + cell(what) + cell(std::to_string(count)) + "</tr>\n";
        out += "</table>\n";
    }
    return out + plots_of(run);
}

}  // namespace

std::string html_of_run(const run_report& run) {
    return std::string(page_begin) + "<h1>" + http::escape_html(run.scenario) + ": " +
           (all_hold(run.thresholds) ? "<span class=\"ok\">all thresholds hold</span>"
                                     : "<span class=\"bad\">a threshold is broken</span>") +
           "</h1>\n" + body_of_run(run) + std::string(page_end);
}

std::string html_of_limit(const limit_report& found) {
    auto sorted = found.steps;
    std::sort(sorted.begin(), sorted.end(),
              [](const auto& a, const auto& b) { return a.request_rate < b.request_rate; });
    plot latency{
        "Latency by rate", "requests a second", "us", {{"p50", green, {}}, {"p99", orange, {}}}, true};
    plot achieved{"Good answers by rate", "requests a second", "", {{"achieved", blue, {}}}, false};
    plot cpu{"Processors that the server uses, by rate",
             "requests a second",
             "",
             {{"processors", blue, {}}},
             false};
    std::string rows;
    for (const auto& one : sorted) {
        latency.lines[0].points.push_back({one.request_rate, one.p50});
        latency.lines[1].points.push_back({one.request_rate, one.p99});
        achieved.lines[0].points.push_back({one.request_rate, one.achieved});
        cpu.lines[0].points.push_back({one.request_rate, one.server_cpu});
        rows += "<tr>" + cell(decimals(one.request_rate, 1)) + cell(decimals(one.achieved, 1)) +
                cell(latency_text(one.p50)) + cell(latency_text(one.p99)) +
                cell(decimals(one.errors * 100, 2) + " %") + cell(decimals(one.server_cpu, 2)) +
                "<td class=\"" + (one.holds ? "ok\">holds" : "bad\">" + http::escape_html(one.broken)) +
                "</td></tr>\n";
    }
    std::string out =
        std::string(page_begin) + "<h1>Limit: " +
        (found.limit > 0 ? decimals(found.limit, 1) + " requests a second" : std::string("none")) +
        "</h1>\n<p>The highest rate at which all thresholds hold. The search ended: " +
        http::escape_html(found.reason) + ".</p>\n" +
        heading_row({"requests/s", "achieved", "p50", "p99", "errors", "server CPU", "outcome"}) + rows +
        "</table>\n" + svg_of(latency) + svg_of(achieved);
    const bool knows_server =
        std::any_of(sorted.begin(), sorted.end(), [](const auto& one) { return one.server_cpu > 0; });
    if (knows_server) out += svg_of(cpu);
    if (found.limit > 0) out += "<h1>The run at the limit</h1>\n" + body_of_run(found.last_good);
    return out + std::string(page_end);
}

}  // namespace gallery::load
