// SPDX-License-Identifier: Apache-2.0
#include "admin/verify.hpp"

#include "admin/closed_store.hpp"
#include "admin/help.hpp"
#include "plugins/verify.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

namespace gallery::admin {

namespace {

int fail(const failure& what) {
    std::fprintf(stderr, "gallery-admin verify: %s\n", what.message.c_str());
    return static_cast<int>(what.code);
}

void print_json(const plugins::verification& found, const std::string& store) {
    boost::json::object report;
    report["sound"] = found.sound();
    report["store"] = store;
    report["images"] = found.records;
    report["keptVersions"] = found.kept_versions;
    report["bodies"] = found.bodies;
    report["bytes"] = found.bytes;
    report["documents"] = found.documents;
    report["indexEntries"] = found.index_entries;
    boost::json::array problems;
    for (const auto& text : found.problems)
        problems.emplace_back(text);
    report["problems"] = std::move(problems);
    std::printf("%s\n", boost::json::serialize(report).c_str());
}

void print_text(const plugins::verification& found, const std::string& store, bool quiet) {
    for (const auto& text : found.problems)
        std::printf("problem: %s\n", text.c_str());
    if (quiet && found.sound()) return;
    std::printf(
        "%s: %llu images, %llu kept versions, %llu bodies (%llu bytes) hashed, %llu documents, %llu index "
        "entries: %s\n",
        store.c_str(), static_cast<unsigned long long>(found.records),
        static_cast<unsigned long long>(found.kept_versions), static_cast<unsigned long long>(found.bodies),
        static_cast<unsigned long long>(found.bytes), static_cast<unsigned long long>(found.documents),
        static_cast<unsigned long long>(found.index_entries),
        found.sound() ? "the store is sound" : (std::to_string(found.problems.size()) + " problems").c_str());
}

}  // namespace

int verify(std::span<const char* const> arguments) {
    const auto wanted = parse_report_options(arguments, "verify");
    if (!wanted) return fail(wanted.error());
    if (wanted->help) return print_help("verify");
    asio::io_context context{1};  // outlives the store, whose threads post to it
    auto store = open_closed_store(wanted->config_file);
    if (!store) return fail(store.error());
    const auto& opened = store->opened;

    const auto progress = progress_of_images(*wanted);
    const auto ended = run_on(context, plugins::verify(*opened.store, progress));
    if (progress) std::fprintf(stderr, "\r\033[K");
    if (!ended) return fail(engine_failed());
    const auto& found = *ended;
    if (!found) return fail({exit_code::unreachable, found.error().message});
    if (wanted->json) {
        print_json(*found, opened.description);
    } else {
        print_text(*found, opened.description, wanted->quiet);
    }
    return found->sound() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace gallery::admin
