// SPDX-License-Identifier: Apache-2.0
/// A server on a port of the kernel's choice, and a client that speaks raw bytes to it.
#pragma once

#include "http/response.hpp"
#include "http/router.hpp"
#include "http/server.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::http::test {

/// The head of a request as text, for functions that take a request.
class parsed_request {
public:
    /// "GET / HTTP/1.1\r\nHost: a\r\n" + @p lines + "\r\n".
    explicit parsed_request(std::string_view lines, std::string_view start = "GET / HTTP/1.1");
    [[nodiscard]] request& get() noexcept { return *message_; }
    operator const request&() const noexcept { return *message_; }  // NOLINT

private:
    std::string text_;
    std::unique_ptr<request> message_ = std::make_unique<request>();
};

/// Names of what was logged and observed, collected on any thread.
struct records {
    struct seen {
        std::string target, route;
        unsigned status;
        std::uint64_t bytes_in, bytes_out;
        bool hot, complete;
    };
    std::mutex lock;
    std::vector<std::string> lines;
    std::vector<seen> exchanges;

    std::vector<std::string> logged();
    std::vector<seen> observed();
};

class running_server {
public:
    using setup = std::function<void(router&)>;
    using tweak = std::function<void(server_options&)>;
    /// @p ticket_secret: of TLS session tickets; empty: the server's own.
    explicit running_server(const setup& routes, const tweak& options = {},
                            const std::string& ticket_secret = "");
    [[nodiscard]] server& get() noexcept { return *server_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return server_->port(); }
    [[nodiscard]] records& seen() noexcept { return *records_; }

private:
    std::shared_ptr<records> records_ = std::make_shared<records>();
    std::unique_ptr<server> server_;
};

struct reply {
    unsigned status = 0;
    std::string reason;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;

    [[nodiscard]] std::string header(std::string_view name) const;
    [[nodiscard]] std::size_t count(std::string_view name) const;
};

/// Blocking; gives up after ten seconds, which only a failing test reaches.
class client {
public:
    /// @p receive_buffer: of the kernel, in bytes; 0 = its choice.
    explicit client(std::uint16_t port, int receive_buffer = 0);
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    void send(std::string_view bytes);
    /// Sends what the kernel takes without blocking; returns how much.
    std::size_t send_some(std::string_view bytes);
    /// One reply; empty at the end of the connection. @p to_head: it has no body whatever its head says.
    std::optional<reply> receive(bool to_head = false);
    /// One read, at most @p most bytes; empty at the end.
    std::string read_some(std::size_t most = 65536);
    /// Everything up to the end of the connection.
    std::string read_all();
    [[nodiscard]] bool at_end();
    void end_writing();
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

    /// send() and receive().
    reply ask(std::string_view bytes);

private:
    bool fill();
    int descriptor_;
    std::string buffer_;
};

/// A handler out of something that returns a response.
template <class Function>
handler always(Function make) {
    return [make](request& message) -> task<result<response>> { co_return make(message); };
}

std::string get(std::string_view path, std::string_view lines = "");

}  // namespace gallery::http::test
