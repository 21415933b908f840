// SPDX-License-Identifier: Apache-2.0
/// One I/O thread: its io_context, its clock, its connections and the memory that they share.
#pragma once

#include "http/address_counts.hpp"
#include "http/repeated_notes.hpp"
#include "http/request_id.hpp"
#include "http/server.hpp"
#include "http/serving_rules.hpp"
#include "http/timer_wheel.hpp"
#include "http/tls.hpp"
#include "http/workspace.hpp"

#include <gallery/mutex.hpp>
#include <gallery/task.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

namespace gallery::http {

class connection;
using tcp_acceptor = asio::basic_socket_acceptor<asio::ip::tcp, io_executor>;

/// Data shared by all I/O threads of a server. Immutable while connections are served, except the atomics and
/// the notes.
struct server_core {
    server_options options;            ///< of what serving_rules contains, those in use at the start
    std::unique_ptr<tls_context> tls;  ///< null without TLS
    std::atomic<std::size_t> open{0};
    address_counts clients;
    std::atomic<bool> draining{false};
    repeated_notes refusals;
    repeated_notes refused_clients;  ///< of connections
    mutex none_left_mutex;  ///< guards no member: the last connection cannot close between the test of `open`
                            ///< and the wait
    condition_variable none_left;

    void log(log_level level, std::string_view text) const noexcept;
    void connection_opened() noexcept { open.fetch_add(1, std::memory_order_relaxed); }
    void connection_closed() noexcept;
};

class io_thread {
public:
    io_thread(server_core& core, std::size_t index, const shared_rules& rules);
    io_thread(const io_thread&) = delete;
    io_thread& operator=(const io_thread&) = delete;
    ~io_thread();

    void start();
    /// Ends run() and joins, then destroys what is suspended.
    void stop();

    [[nodiscard]] server_core& core() noexcept { return core_; }
    [[nodiscard]] io_executor executor() const noexcept { return context_->get_executor(); }
    [[nodiscard]] timer_wheel& wheel() noexcept { return wheel_; }

    // All below: on this thread only.

    /// For requests that begin now.
    [[nodiscard]] const serving_rules& rules() const noexcept { return *rules_; }
    [[nodiscard]] const rules_ptr& kept_rules() const noexcept { return rules_; }
    void use(const shared_rules& rules);

    /// Memory of one exchange; from the pool.
    std::unique_ptr<workspace> take_workspace();
    void give_back(std::unique_ptr<workspace> used) noexcept;
    /// True while many connections hold memory, so that one without work should return its own immediately.
    [[nodiscard]] bool is_crowded() const noexcept { return workspaces_out_ > crowd; }
    std::unique_ptr<char[]> take_block();
    void give_back(std::unique_ptr<char[]> block) noexcept;

    /// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", formatted once a second; behind it the line of HSTS where
    /// the server speaks TLS and sends it.
    std::string_view date_line() noexcept;

    [[nodiscard]] request_ids& ids() noexcept { return ids_; }

    void enter(connection& member) noexcept;
    void leave(connection& member) noexcept;
    void close_idle_connections() noexcept;
    void abort_connections() noexcept;

    /// Accepts connections until the acceptor is closed.
    /// Takes ownership of the listening socket @p descriptor.
    void listen(int descriptor, bool is_v6);
    void stop_listening() noexcept;
    void tick() noexcept;

private:
    static constexpr std::size_t crowd = 128;
    static constexpr std::size_t spare_workspaces = crowd;
    static constexpr std::size_t spare_blocks = 32;

    task<> accept_loop();
    task<> clock();
    /// Empty if the client has too many connections. One that is exempt is not counted.
    std::optional<address_counts::place> place_for(const asio::ip::address& peer);
    void receive(int descriptor, const asio::ip::tcp::endpoint& peer);

    server_core& core_;
    std::size_t index_;
    request_ids ids_;
    std::unique_ptr<asio::io_context> context_;
    timer_wheel wheel_;
    rules_ptr rules_;
    connection* members_ = nullptr;
    std::vector<std::unique_ptr<workspace>> workspaces_;
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t workspaces_out_ = 0;
    std::int64_t date_second_ = -1;
    std::string date_line_;
    std::unique_ptr<tcp_acceptor> acceptor_;
    std::thread thread_;
};

}  // namespace gallery::http
