// SPDX-License-Identifier: Apache-2.0
#include "admin/rewrite_bodies.hpp"

#include "admin/closed_store.hpp"
#include "admin/help.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace gallery::admin {

namespace {

int fail_rewriting(const failure& what) {
    std::fprintf(stderr, "gallery-admin rewrite-bodies: %s\n", what.message.c_str());
    return static_cast<int>(what.code);
}

void print_rewritten(const rewrite_report& report, const std::string& store, const report_options& how) {
    if (how.json) {
        boost::json::object out;
        out["store"] = store;
        out["bodies"] = report.bodies;
        out["bytes"] = report.bytes;
        boost::json::array problems;
        for (const auto& text : report.problems)
            problems.emplace_back(text);
        out["problems"] = std::move(problems);
        std::printf("%s\n", boost::json::serialize(out).c_str());
        return;
    }
    for (const auto& text : report.problems)
        std::printf("problem: %s\n", text.c_str());
    if (how.quiet && report.problems.empty()) return;
    std::printf("%s: %llu bodies (%llu bytes) moved\n", store.c_str(),
                static_cast<unsigned long long>(report.bodies),
                static_cast<unsigned long long>(report.bytes));
}

}  // namespace

int rewrite_bodies(std::span<const char* const> arguments) {
    const auto wanted = parse_report_options(arguments, "rewrite-bodies");
    if (!wanted) return fail_rewriting(wanted.error());
    if (wanted->help) return print_help("rewrite-bodies");
    asio::io_context context{1};  // outlives the store, whose threads post to it
    auto store = open_closed_store(wanted->config_file);
    if (!store) return fail_rewriting(store.error());
    const auto& opened = store->opened;
    const auto progress = progress_of_images(*wanted);
    const auto ended = run_on(context, opened.store->rewrite_bodies(progress));
    if (progress) std::fprintf(stderr, "\r\033[K");
    if (!ended) return fail_rewriting(engine_failed());
    if (!*ended) return fail_rewriting({exit_code::unreachable, ended->error().message});
    print_rewritten(**ended, opened.description, *wanted);
    return (*ended)->problems.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace gallery::admin
