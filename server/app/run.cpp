// SPDX-License-Identifier: Apache-2.0
#include "app/run.hpp"

#include "app/check_configuration.hpp"
#include "app/command_line.hpp"
#include "app/configuration_file.hpp"
#include "app/gallery_server.hpp"
#include "app/log.hpp"
#include "app/process.hpp"
#include "app/service_manager.hpp"
#include "app/signals.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace gallery::app {

namespace {

/// Whether all of it was written.
bool print(std::FILE* where, std::string_view text) {
    const bool taken = std::fwrite(text.data(), 1, text.size(), where) == text.size();
    return std::fflush(where) == 0 && taken;
}

int fail(std::string_view text, int code) {
    print(stderr, "gallery-server: " + std::string(text) + "\n");
    return code;
}

int unusable(const error& e) {
    return fail("the configuration is not valid\n" + e.message, exit_config);
}

int check_configuration(const config::checked_configuration& c) {
    prepare_process();
    std::string text;
    for (const auto& value : shown_values(c.content)) {
        text += value.path + ": \"" + value.text + "\"  # " + value.from + "\n";
    }
    // Values beside the problems would look as if they were used.
    if (c.problems.empty()) print(stdout, text);
    const auto tried = try_configuration(c.content, c.problems);
    if (!tried) return unusable(tried.error());
    print(stdout, "# The configuration is valid; " + *tried + ".\n");
    return EXIT_SUCCESS;
}

result<void> show_password(std::string_view line) {
    if (print(stdout, line)) return {};
    return error{errc::io_error,
                 "the generated password of an account cannot be printed, because standard output cannot be "
                 "written: " +
                     std::string(std::strerror(errno)) +
                     ". The account was not stored. Start with another standard output, or set "
                     "GALLERY_SYSADMIN_PASSWORD (and GALLERY_DEMO_PASSWORD)"};
}

void show(const start_report& report) {
    std::size_t width = 0;
    for (const auto& [name, text] : report)
        width = std::max(width, name.size());
    std::string all = version_text() + " is ready\n";
    for (const auto& [name, text] : report) {
        all += "  " + name + std::string(width - name.size() + 2, ' ') + text + "\n";
    }
    // Generated passwords in it were printed before, so a closed output is no reason to stop.
    if (!print(stdout, all)) log_warning("the start report could not be written to standard output");
}

/// @p file: where @p c was read from; empty: nowhere, it is what is built in.
int serve(const command_line& line, const std::string& file, const config::configuration& c) {
    // First of all, since threads inherit what is set here.
    const auto manager = service_manager::from_environment();
    signal_listener signals;
    const auto notes = prepare_process();
    if (const auto good = check_values(c); !good) return unusable(good.error());
    const log_scope logging(c.values.logging);
    for (const auto& note : notes)
        log_warning(note);

    signals.end_at_once([] {
        log_warning("stopped before the start was complete");
        flush_log();
        std::_Exit(EXIT_SUCCESS);
    });
    start_options options{.demo = line.demo, .show = &show_password};
    options.watchdog_timeout = manager.watchdog_timeout();
    options.alive = [&manager] { manager.alive(); };
    // The file of the start: if it is gone, the defaults must not take its place.
    options.read_configuration = [&line, &file] {
        return read_configuration_file(!file.empty() ? file : find_configuration_file(line.config_file));
    };
    options.configuration_file = file;
    options.reloading = [&manager] { manager.reloading(); };
    options.reloaded = [&manager](const std::string& url, bool done) {
        manager.ready(url, done ? "" : "; the last reload of the configuration failed, see the log");
    };
    manager.opening();
    auto server = gallery_server::start(c, std::move(options));
    if (!server) {
        flush_log();
        return fail(with_origins(c, server.error().message), exit_code_of(server.error().code));
    }
    show((*server)->report());
    signals.listen([&server] { (*server)->hang_up(); },
                   [] {
                       log_warning("a second signal: stopped immediately");
                       flush_log();
                       std::_Exit(EXIT_SUCCESS);
                   });
    manager.ready((*server)->url());
    signals.wait();
    manager.stopping();
    log_info("stopping after in-flight requests are finished; a second signal stops immediately");
    if (!(*server)->stop()) {
        // Work in the engine is still in progress. Acknowledged writes are on the disk, so the process may
        // end here, as it may at any other moment.
        log_warning("stopped, with requests aborted");
        flush_log();
        std::_Exit(EXIT_SUCCESS);
    }
    server->reset();
    log_info("stopped");
    return EXIT_SUCCESS;
}

}  // namespace

int run(std::span<const char* const> arguments) {
    const auto line = parse_command_line(arguments);
    if (!line) return fail(line.error().message, exit_usage);
    switch (line->what) {
        case command_line::action::help:
            print(stdout, usage());
            return EXIT_SUCCESS;
        case command_line::action::version:
            print(stdout, version_text() + "\n");
            return EXIT_SUCCESS;
        case command_line::action::manual:
            print(stdout, manual());
            return EXIT_SUCCESS;
        case command_line::action::configuration_manual:
            print(stdout, configuration_manual());
            return EXIT_SUCCESS;
        case command_line::action::completion:
            print(stdout, completion());
            return EXIT_SUCCESS;
        case command_line::action::serve:
        case command_line::action::check_config:
            break;
    }
    const auto file = find_configuration_file(line->config_file);
    const auto checked = read_configuration_file(file);
    if (!checked) return unusable(checked.error());
    if (line->what == command_line::action::check_config) return check_configuration(*checked);
    if (!checked->problems.empty()) return unusable({errc::invalid_argument, checked->problems});
    return serve(*line, file, checked->content);
}

}  // namespace gallery::app
