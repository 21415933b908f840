// SPDX-License-Identifier: Apache-2.0
#include "load/runner.hpp"

#include "admin/status_line.hpp"
#include "admin/times.hpp"
#include "load/limit_search.hpp"

#include <boost/asio/io_context.hpp>

#include <openssl/err.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace gallery::load {

namespace {

using admin::exit_code;
using admin::failure;

admin::outcome<asio::ip::tcp::endpoint> resolve(const admin::address& where) {
    asio::io_context context;
    asio::ip::tcp::resolver resolver(context);
    boost::system::error_code failed;
    const auto found = resolver.resolve(where.host, where.port, failed);
    if (failed || found.empty())
        return failure{exit_code::unreachable,
                       "the host of " + where.text + " is not found (" + failed.message() + ")"};
    // The seeding has connected already. Of several addresses the first that accepts a connection is used.
    for (const auto& one : found) {
        asio::ip::tcp::socket probe(context);
        probe.connect(one.endpoint(), failed);
        if (!failed) return one.endpoint();
    }
    return failure{exit_code::unreachable,
                   "no server answers at " + where.text + " (" + failed.message() + ")"};
}

std::string now_text() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return admin::format_time(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

limit_step step_of(const run_report& run) {
    const auto all = run.figures.totals.all();
    const double seconds = run.figures.totals.seconds;
    limit_step out;
    out.request_rate = run.request_rate;
    out.achieved = seconds > 0 ? static_cast<double>(all.of(verdict::good)) / seconds : 0;
    out.p50 = static_cast<double>(all.latency.percentile(50));
    out.p99 = static_cast<double>(all.latency.percentile(99));
    out.errors = all.count() > 0 ? static_cast<double>(all.errors()) / static_cast<double>(all.count()) : 0;
    out.server_cpu = mean_cpu(run.server);
    out.generator_cpu = run.figures.cpu_share();
    out.holds = all_hold(run.thresholds);
    for (const auto& one : run.thresholds) {
        if (one.holds) continue;
        out.broken = one.text + ": " + one.found;
        break;
    }
    return out;
}

}  // namespace

admin::outcome<run_report> run_once(const scenario& plan, seeded_data& data, const admin::http_client& server,
                                    const run_settings& settings) {
    if (auto renewed = data.renew_logins(); !renewed) return renewed.error();
    auto endpoint = resolve(server.where);
    if (!endpoint) return endpoint.error();
    http::client_context tls;
    if (server.where.tls) {
        tls = http::make_client_context(server.ca_file);
        if (!tls)
            return failure{exit_code::configuration,
                           "the certificates in '" + server.ca_file + "' cannot be read"};
    }
    const target where{*endpoint, server.where.host, tls.get()};

    run_report out;
    out.scenario = plan.name;
    out.description = plan.description;
    out.url = server.where.text;
    out.begun = now_text();
    out.connections = plan.connections;
    out.visit_rate = plan.highest_rate();
    out.request_rate = plan.highest_rate() * plan.requests_per_visit();
    out.warm_up = std::chrono::duration<double>(plan.warm_up).count();

    admin::status_line line(!settings.is_quiet);
    engine_options options;
    options.seed = settings.seed;
    const double whole = std::chrono::duration<double>(plan.duration()).count();
    options.on_second = [&](const second_row& row) {
        if (line.is_shown()) line.draw(text_of_second(row, whole));
    };
    std::optional<process_watch> watch;
    if (settings.server) watch.emplace(*settings.server);
    auto figures = engine(plan, data.content(), server.where, where, std::move(options)).run();
    if (!figures) return figures.error();
    out.figures = std::move(*figures);
    if (watch) out.server = watch->samples();
    out.thresholds = judge(plan.thresholds, out.figures.totals);
    return out;
}

admin::outcome<limit_report> find_limit(scenario plan, double start, std::chrono::nanoseconds hold,
                                        seeded_data& data, const admin::http_client& server,
                                        const run_settings& settings,
                                        const std::function<void(const limit_step&)>& on_step) {
    constexpr double factor = 1.5;
    constexpr double precision = 0.05;
    constexpr double generator_is_full = 0.95;
    limit_report out;
    limit_search search(start, factor, precision);
    for (auto each = settings; !search.is_over(); ++each.seed) {
        // Until the first visits end, there are fewer requests than later.
        const auto ramp = hold / 10;
        const auto steady = std::max(ramp, plan.longest_visit());
        plan.warm_up = ramp + steady;
        plan.stages = {{search.next(), ramp}, {search.next(), steady + hold}};
        auto run = run_once(plan, data, server, each);
        if (!run) return run.error();
        const auto step = step_of(*run);
        out.steps.push_back(step);
        if (run->figures.is_interrupted) {
            out.reason = "it was interrupted";
            return out;
        }
        on_step(step);
        search.tried(step.holds);
        if (step.holds) {
            out.limit = step.request_rate;
            out.last_good = std::move(*run);
        }
        if (step.generator_cpu > generator_is_full) {
            out.reason = "the generator used its whole processor; the server may be able to do more";
            return out;
        }
        if (!step.holds) out.reason = "at a higher rate a threshold breaks: " + step.broken;
    }
    return out;
}

}  // namespace gallery::load
