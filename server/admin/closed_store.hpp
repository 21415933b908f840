// SPDX-License-Identifier: Apache-2.0
/// What commands without a server have in common: the store of the server, which no server may have open.
/// That is the one of the last switch, otherwise the one that the configuration names.
#pragma once

#include "admin/failure.hpp"
#include "app/open_storage.hpp"
#include "config/settings.hpp"

#include <gallery/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::admin {

struct closed_store {
    config::settings settings;
    app::unprobed_store opened;
};

/// Opens it; nothing is made that is not there. @p config_file empty: found as the server finds it. What the
/// engine warns of goes to standard error. Failures: configuration, unreachable (a running server holds it),
/// server_fault. An io_context that coroutines on the store ran on must outlive it.
outcome<closed_store> open_closed_store(const std::string& config_file);

/// Whether @p arguments[at] is the option @p name with its value ("--name=VALUE", or VALUE as the next word,
/// which @p at is moved to), which then is in @p value.
bool take_value(std::span<const char* const> arguments, std::size_t& at, std::string_view name,
                std::string& value);

/// The options of commands that print a report on a store.
struct report_options {
    std::string config_file;
    bool json = false;
    bool quiet = false;
    bool help = false;
};
/// @p command: its name, for the message.
outcome<report_options> parse_report_options(std::span<const char* const> arguments,
                                             const std::string& command);
/// Shows a number of images on the terminal of standard error; empty if there is none, or it is not wanted.
std::function<void(std::uint64_t)> progress_of_images(const report_options& wanted);

/// Runs @p work to its end on @p context. Empty for an engine that throws or never answers: engine_failed().
template <class T>
std::optional<T> run_on(asio::io_context& context, task<T> work) {
    std::optional<T> value;
    asio::co_spawn(context.get_executor(), std::move(work), [&](std::exception_ptr thrown, T got) {
        if (!thrown) value.emplace(std::move(got));
    });
    context.restart();  // it has stopped after the work before
    context.run();
    return value;
}

failure engine_failed();

}  // namespace gallery::admin
