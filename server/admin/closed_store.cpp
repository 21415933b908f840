// SPDX-License-Identifier: Apache-2.0
#include "admin/closed_store.hpp"

#include "app/active_storage.hpp"
#include "app/configuration_file.hpp"
#include "app/data_folder.hpp"
#include "app/process.hpp"

#include <cstdio>
#include <filesystem>

#include <unistd.h>

namespace gallery::admin {

namespace {

failure ended_by(const error& e) {
    return failure{static_cast<exit_code>(app::exit_code_of(e.code)), e.message};
}

}  // namespace

outcome<closed_store> open_closed_store(const std::string& config_file) {
    app::prepare_process();
    auto configuration = app::load_configuration(config_file);
    if (!configuration) return failure{exit_code::configuration, configuration.error().message};
    auto& settings = configuration->values;

    const auto data = app::absolute_folder(settings.data.folder);
    auto active = app::find_active_storage(settings.storage, data);
    if (!active) return failure{exit_code::configuration, active.error().message};
    if (auto there = active->require_store(); !there) return ended_by(there.error());
    app::ask_configured_store(*active, settings.storage);
    // Looking must not make what is not there.
    constexpr bool may_create = false;
    auto opened =
        app::open_unprobed(active->settings, data, may_create, [](log_level level, std::string_view text) {
            if (level < log_level::warning) return;
            std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
        });
    if (!opened) return ended_by(opened.error());
    return closed_store{std::move(settings), std::move(*opened)};
}

bool take_value(std::span<const char* const> arguments, std::size_t& at, std::string_view name,
                std::string& value) {
    const std::string_view word = arguments[at];
    if (word == name) {
        if (at + 1 == arguments.size() || *arguments[at + 1] == '\0') return false;
        value = arguments[++at];
        return true;
    }
    if (!word.starts_with(name) || word.size() <= name.size() + 1 || word[name.size()] != '=') return false;
    value = word.substr(name.size() + 1);
    return true;
}

outcome<report_options> parse_report_options(std::span<const char* const> arguments,
                                             const std::string& command) {
    report_options parsed;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view option = arguments[i];
        if (option == "--json") {
            parsed.json = true;
        } else if (option == "--quiet") {
            parsed.quiet = true;
        } else if (option == "--help" || option == "-h") {
            parsed.help = true;
        } else if (!take_value(arguments, i, "--config", parsed.config_file)) {
            return failure{exit_code::usage, "'" + std::string(option) + "' is not an option of " + command +
                                                 ", or its value is missing"};
        }
    }
    return parsed;
}

std::function<void(std::uint64_t)> progress_of_images(const report_options& wanted) {
    if (wanted.quiet || wanted.json || ::isatty(STDERR_FILENO) == 0) return {};
    return [](std::uint64_t done) {
        std::fprintf(stderr, "\r%llu images", static_cast<unsigned long long>(done));
    };
}

failure engine_failed() {
    return {exit_code::server_fault, "the storage engine threw an exception or did not complete"};
}

}  // namespace gallery::admin
