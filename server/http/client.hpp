// SPDX-License-Identifier: Apache-2.0
/// An HTTP client for tools: one connection, one request at a time, over TCP or TLS.
#pragma once

#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::http {

struct client_options {
    std::string host;  ///< a name or an IP address; IPv6 without brackets
    std::string port;
    bool tls = false;
    std::string ca_file;               ///< PEM, instead of the system's certificates; empty for those
    std::chrono::seconds timeout{60};  ///< for connecting, for TLS, for sending, and for the answer, each
    std::uint64_t max_body = 64U << 20U;
};

using client_fields = std::vector<std::pair<std::string, std::string>>;

struct client_request {
    std::string method = "GET";
    std::string target;
    client_fields fields;  ///< Host among them; without Content-Length, which is added where there is a body
    std::string body;
};

struct client_answer {
    unsigned status = 0;
    client_fields fields;
    std::string body;

    /// The first value of a field, its name without regard to case; null where it is missing.
    [[nodiscard]] const std::string* header(std::string_view name) const noexcept;
};

struct client_failure {
    enum class reason : std::uint8_t {
        host_not_found,
        connect_timeout,
        not_connected,  ///< no server listens there
        bad_ca_file,    ///< client_options::ca_file cannot be read
        bad_host_name,  ///< the host cannot be the name in a certificate
        tls_timeout,
        not_trusted,     ///< the server's certificate is not trusted, or is another host's
        tls_broken,      ///< the server does not speak TLS as it should
        answer_timeout,  ///< whether the request was carried out is not known
        answer_broken    ///< the same; the connection ended, or the answer is not HTTP
    };
    reason what = reason::answer_broken;
    std::string detail;  ///< the system's, OpenSSL's or Beast's words
};

using client_result = boost::system::result<client_answer, client_failure>;

/// Found by Boost.System when value() is called on a failed result, which is a bug.
[[noreturn]] void throw_exception_from_error(const client_failure& failed,
                                             const boost::source_location& where);

/// Blocks the calling thread, each step no longer than the timeout. Requests and answers are Beast's
/// messages, parser and serializer. One thread at a time.
class client {
public:
    explicit client(client_options options);
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// Connects where there is no connection, sends the request, and reads the answer to its end. The
    /// connection is kept for the next request unless either side sends "Connection: close".
    client_result send(const client_request& request);

private:
    class connection;
    client_options options_;
    std::unique_ptr<connection> connection_;
};

}  // namespace gallery::http
