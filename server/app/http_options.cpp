// SPDX-License-Identifier: Apache-2.0
#include "app/http_options.hpp"

#include "app/check_configuration.hpp"
#include "app/log.hpp"
#include "app/loggable_target.hpp"
#include "app/process.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace gallery::app {

namespace {

/// Connections for which there are file descriptors, with some left for the engine and the workers.
std::size_t connections_possible() {
    const auto files = open_file_limit();
    return static_cast<std::size_t>(files > 4096 ? files - 1024 : files / 2);
}

}  // namespace

http::server_options http_options(const config::settings& settings) {
    const auto& server = settings.server;
    http::server_options options;
    options.address = server.address;
    options.port = server.port;
    options.congestion_control = server.tcp_congestion_control;
    if (server.ssl.enabled) options.tls = tls_options_of(server.ssl);
    options.io_threads = server.io_threads;
    const auto possible = connections_possible();
    options.limits.connections =
        server.max_connections == 0 ? possible : std::min<std::size_t>(server.max_connections, possible);
    options.limits.connections_per_client = static_cast<std::size_t>(server.max_connections_per_client);
    options.exempt = [](const boost::asio::ip::address& peer) { return peer.is_loopback(); };
    options.timeouts.header = whole_seconds(server.timeouts.header);
    options.timeouts.keep_alive = whole_seconds(server.timeouts.keep_alive);
    options.timeouts.body = whole_seconds(server.timeouts.body);
    options.timeouts.write = whole_seconds(server.timeouts.write);
    if (!server.trusted_proxies.empty()) {
        options.front.trusted = [proxies = server.trusted_proxies](const boost::asio::ip::address& peer) {
            return proxies.contain(peer);
        };
    }
    options.front.base_path = base_path_of(server);
    options.cross_origin = cross_origin_of(server.cors);
    options.hsts_max_age = whole_seconds(server.hsts_max_age);
    options.log = log;
    return options;
}

http::server_options metrics_http_options(const config::metrics_settings& settings) {
    http::server_options options;
    options.address = settings.address;
    options.port = settings.port;
    options.io_threads = 1;
    options.limits.connections = 64;
    options.log = log;
    return options;
}

void log_exchange(const http::finished_exchange& e) {
    if (!logs(log_level::debug)) return;
    std::string path;
    emit_path(e.message.path(), link_in_path_of(e.route), [&path](std::string_view part) { path += part; });
    log_debug(std::string(e.remote_address) + " " + std::string(e.message.verb_text()) + " " + path + " " +
              std::to_string(e.status) + " [" + std::string(e.message.request_id()) + "] " +
              std::to_string(e.bytes_out) + " bytes " +
              std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(e.duration).count()) +
              " us" + (e.complete ? "" : " (the client disconnected)"));
}

}  // namespace gallery::app
