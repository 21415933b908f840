// SPDX-License-Identifier: Apache-2.0
/// The HTTP server: I/O threads, listeners, sessions, drain.
#pragma once

#include "http/cross_origin.hpp"
#include "http/forwarded.hpp"
#include "http/router.hpp"

#include <gallery/error.hpp>
#include <gallery/log_level.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

/// One request and its answer, told to the observer when the response has been written (or given up).
/// Views are valid during the call only.
struct finished_exchange {
    const request& message;
    method verb;
    std::string_view target;
    std::string_view route;  ///< empty where none matched
    std::string_view remote_address;
    unsigned status = 0;
    std::uint64_t bytes_in = 0;            ///< of the body as read
    std::uint64_t bytes_out = 0;           ///< head and body as handed to the kernel or to TLS
    std::chrono::nanoseconds duration{0};  ///< from the head's last byte to the response's last
    bool hot = false;                      ///< answered by a hot try or the fallback
    bool may_be_hot = false;               ///< the route has a hot try, or the fallback answered
    bool complete = false;                 ///< false: the client disconnected before the last byte
};
/// Whether the client of a request that needs no login may have it answered. An error is the answer. Called
/// on the I/O thread; must be quick and must not block.
using admit_client = std::function<result<void>(const request&)>;

/// Called on the I/O thread for each request; must be quick and must not throw.
using observer = std::function<void(const finished_exchange&)>;

struct tls_options {
    std::string certificate_file;  ///< PEM, the chain with the server's certificate first
    std::string key_file;          ///< PEM
    std::string key_password;      ///< empty = none
    /// For TLS 1.2 as OpenSSL writes them, and names that begin with "TLS_" for TLS 1.3, separated by ':';
    /// empty = those with forward secrecy and authenticated encryption.
    std::string ciphers;
    bool only_1_3 = false;  ///< no TLS 1.2
};

/// Bounds on what a client may send.
struct limits {
    std::size_t head_bytes = 16 * 1024;
    std::size_t target_bytes = 8 * 1024;
    /// Of an unread body that is still read so that the connection can go on; more closes it.
    std::uint64_t drain_bytes = 256 * 1024;
    std::size_t connections = 20'000;  ///< over all threads; further ones wait in the kernel's backlog
    /// Of one client address, or of one /64 of IPv6; further ones are closed at once. 0: no limit.
    std::size_t connections_per_client = 0;
};

/// Whole seconds; they end within one second more than given.
struct timeouts {
    std::chrono::seconds header{20};                   ///< from a request's first byte to the end of its head
    std::chrono::seconds keep_alive{75};               ///< between requests, and before the first
    std::chrono::seconds body{30};                     ///< allowance of a body, extended as it arrives
    std::uint64_t body_bytes_per_second = 1024;        ///< how many bytes extend the allowance by a second
    std::chrono::seconds write{60};                    ///< allowance of a response, extended as it is taken
    std::uint64_t write_bytes_per_second = 16 * 1024;  ///< how many bytes extend the allowance by a second
    std::chrono::seconds linger{2};  ///< how long a client may continue to send after a refusal
};

struct server_options {
    std::string address = "0.0.0.0";  ///< IPv4 or IPv6
    std::uint16_t port = 8080;        ///< 0 = chosen by the kernel, see server::port()
    int backlog = 4096;
    /// Of the listening socket, for instance "cubic"; empty = the system's. Falls back with a log line.
    std::string congestion_control;
    std::optional<tls_options> tls;
    unsigned io_threads = 0;  ///< 0 = one per core
    http::limits limits;
    http::timeouts timeouts;
    /// Trusted proxies, and the path under which clients find the server.
    front_door front;
    /// Clients to which limits.connections_per_client does not apply, besides trusted proxies. Any I/O
    /// thread.
    std::function<bool(const asio::ip::address&)> exempt;
    /// Asked once for each request of a route with route_options::limits_clients, for files, and for paths
    /// that do not exist. Empty: all are answered.
    admit_client admit;
    cross_origin_settings cross_origin;
    /// Strict-Transport-Security for clients that use https, by a trusted proxy's word, too; 0 = not sent.
    std::chrono::seconds hsts_max_age{0};
    log_function log;
    observer observe;
    /// For tests: time stands still and moves with server::advance() only.
    bool manual_time = false;
};

/// A certificate that was read (http/tls.hpp).
struct loaded_tls;

/// Threads: every member may be called from any thread that is not one of its I/O threads.
class server {
public:
    /// Creates the I/O threads and starts them; nothing is listened on yet, so that a storage engine can be
    /// opened and tasks spawned on executor() first. Errors: invalid_argument for an address, certificate or
    /// key that cannot be used, naming it.
    static result<std::unique_ptr<server>> create(server_options options);

    /// Binds and accepts. Errors: unavailable or invalid_argument, with address and port, the reason and what
    /// to do.
    result<void> listen(std::shared_ptr<const router> routes);

    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::size_t io_threads() const noexcept;
    /// Of an I/O thread. Precondition: index < io_threads().
    [[nodiscard]] io_executor executor(std::size_t index) const noexcept;
    /// Open connections at this moment.
    [[nodiscard]] std::size_t connections() const noexcept;
    /// Since the start, by limits.connections_per_client.
    [[nodiscard]] std::uint64_t refused_connections() const;

    /// Accepts no more, closes idle connections, lets running requests finish with "Connection: close".
    /// Returns when the last connection is gone, or after @p deadline, when what is left has been cut off;
    /// true in the first case. The I/O threads go on running, so that executor() stays usable.
    bool drain(std::chrono::milliseconds deadline);

    /// A client of one server with this secret may shorten its TLS handshake with another one. Without it,
    /// each server has a secret of its own. Precondition: it does not listen.
    void share_session_tickets(std::string_view secret);

    /// Gives new values to what can change while connections are served: the limits of connections, timeouts,
    /// front, admit, cross_origin and hsts_max_age of @p options, whose other members are ignored, and the
    /// routes. A request that has begun keeps the old ones; those that begin after the return have the new
    /// ones. Fewer connections than are open close none. Precondition: listen() has succeeded.
    void apply(const server_options& options, std::shared_ptr<const router> routes);

    /// Uses another certificate for new connections. Precondition: the server was created with TLS.
    void use_tls(loaded_tls loaded);
    /// The certificate in use (loaded_tls::certificate); empty without TLS.
    [[nodiscard]] std::string certificate() const;

    /// Returns when each I/O thread has finished the step that it is in. Memory that was taken out of use
    /// before the call, and that handlers use without suspending, is then used by none of them.
    void wait_for_threads();

    /// With manual_time: moves every I/O thread's clock and waits until what was due has been handled.
    void advance(std::chrono::seconds by);

    /// Ends the I/O threads and destroys what is suspended on them. Pools that still resume coroutines of
    /// these threads must be joined before.
    void stop();

    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server();

private:
    struct state;
    explicit server(std::unique_ptr<state> state);
    std::unique_ptr<state> state_;
};

}  // namespace gallery::http
