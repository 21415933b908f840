// SPDX-License-Identifier: Apache-2.0
/// Makes the options of the HTTP servers from the settings.
#pragma once

#include "config/settings.hpp"
#include "http/server.hpp"

#include <chrono>

namespace gallery::app {

/// HTTP's timers count whole seconds: rounded up, so that what is configured is the least that they wait.
constexpr std::chrono::seconds whole_seconds(std::chrono::milliseconds time) {
    return std::chrono::ceil<std::chrono::seconds>(time);
}

/// Of the server for clients; it logs to the server's log. Precondition: check_values() found nothing wrong.
http::server_options http_options(const config::settings& settings);

/// Of the server for metrics.
http::server_options metrics_http_options(const config::metrics_settings& settings);

/// Logs a finished exchange at level debug. Of the target what loggable_target.hpp shows, without the query.
void log_exchange(const http::finished_exchange& e);

}  // namespace gallery::app
