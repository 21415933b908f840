// SPDX-License-Identifier: Apache-2.0
#include "admin/copy.hpp"

#include "admin/arguments.hpp"
#include "admin/closed_store.hpp"
#include "admin/copying.hpp"
#include "admin/help.hpp"
#include "admin/output.hpp"
#include "admin/store_address.hpp"
#include "app/configuration_file.hpp"
#include "app/process.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::admin {

namespace {

struct options {
    std::string from;
    std::string to;
    std::vector<std::string> from_options;
    std::vector<std::string> to_options;
    std::string config_file;
    copying how;
    bool help = false;
};

outcome<options> parse(std::span<const char* const> arguments) {
    options parsed;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        std::string value;
        if (word == "--verify") {
            parsed.how.verify = true;
        } else if (word == "--skip-damaged") {
            parsed.how.skip_damaged = true;
        } else if (word == "--any-source") {
            parsed.how.any_source = true;
        } else if (word == "--json") {
            parsed.how.json = true;
        } else if (word == "--quiet") {
            parsed.how.quiet = true;
        } else if (word == "--help" || word == "-h") {
            parsed.help = true;
        } else if (take_value(arguments, i, "--from-option", value)) {
            parsed.from_options.push_back(value);
        } else if (take_value(arguments, i, "--to-option", value)) {
            parsed.to_options.push_back(value);
        } else if (take_value(arguments, i, "--at-once", value)) {
            const auto width = whole_number(value, 1, 256);
            if (!width) return failure{exit_code::usage, "--at-once must be a number from 1 to 256"};
            parsed.how.at_once = *width;
        } else if (!take_value(arguments, i, "--from", parsed.from) &&
                   !take_value(arguments, i, "--to", parsed.to) &&
                   !take_value(arguments, i, "--config", parsed.config_file)) {
            // An option of a store may contain a secret, so only the name is repeated.
            return failure{exit_code::usage, "'" + std::string(word.substr(0, word.find('='))) +
                                                 "' is not an option of copy, or its value is missing"};
        }
    }
    if (!parsed.help && (parsed.from.empty() || parsed.to.empty()))
        return failure{exit_code::usage, "--from and --to are required; gallery-admin copy --help"};
    return parsed;
}

int fail(const printer& out, const failure& what) {
    return out.end("gallery-admin copy", what);
}

}  // namespace

int copy(std::span<const char* const> arguments) {
    const auto wanted = parse(arguments);
    if (!wanted) return fail(printer(false), wanted.error());
    if (wanted->help) return print_help("copy");
    const printer out(wanted->how.json);
    const auto from = parse_store_address(wanted->from, wanted->from_options);
    if (!from) return fail(out, from.error());
    const auto to = parse_store_address(wanted->to, wanted->to_options);
    if (!to) return fail(out, to.error());

    app::prepare_process();
    const auto configuration = app::load_configuration(wanted->config_file);
    if (!configuration) return fail(out, {exit_code::configuration, configuration.error().message});
    asio::io_context context{1};  // outlives the stores, whose threads post to it
    auto source = open_source(*from, configuration->values.storage);
    if (!source) return fail(out, source.error());
    auto target = open_target(*to, configuration->values.storage);
    if (!target) return fail(out, target.error());

    const auto done = run_copy(context, out, *source, *target, wanted->how);
    if (!done) return fail(out, done.error());
    return static_cast<int>(*done ? exit_code::done : exit_code::refused);
}

}  // namespace gallery::admin
