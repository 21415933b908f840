// SPDX-License-Identifier: Apache-2.0
// Sockets and OpenSSL are used directly: what Beast and Asio offer for them takes a minute and a gigabyte to
// compile, and a tool that waits for each step needs none of it.
#include "http/client.hpp"

#include "http/beast_text.hpp"
#include "http/client_tls.hpp"
#include "http/fields.hpp"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>

namespace gallery::http {

namespace beast = boost::beast;
using reason = client_failure::reason;

namespace {

using clock = std::chrono::steady_clock;
using maybe_failure = std::optional<client_failure>;

struct ssl_deleter {
    void operator()(SSL* p) const noexcept { SSL_free(p); }
};

std::string system_text(int code) {
    return std::strerror(code);
}

std::string openssl_text() {
    const auto code = ERR_peek_last_error();
    if (code == 0) return "the connection ended";
    const char* const text = ERR_reason_error_string(code);
    return text != nullptr ? text : "unknown error";
}

}  // namespace

/// A socket that does not block, with a deadline for each step.
class client::connection {
public:
    explicit connection(const client_options& options) : options_(options) {}
    ~connection() {
        if (socket_ >= 0) ::close(socket_);
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    maybe_failure open() {
        if (auto failed = connect()) return failed;
        if (!options_.tls) return std::nullopt;
        return begin_tls();
    }
    /// False where the connection broke or the time ran out; see failure().
    bool send(std::string_view bytes);
    /// 0 at the end, and where it failed; see failure().
    std::size_t receive(char* into, std::size_t size);
    void begin_step() {
        deadline_ = clock::now() + options_.timeout;
        error_.clear();
        timed_out_ = ended_ = false;
    }
    /// The server ended the connection in order.
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] client_failure failure() const {
        if (timed_out_) return {reason::answer_timeout, "timeout"};
        return {reason::answer_broken, error_.empty() ? "the connection ended" : error_};
    }

private:
    maybe_failure connect();
    bool connect_to(const addrinfo& where);
    maybe_failure begin_tls();
    bool wait(short events);
    bool send_plain(std::string_view bytes);
    std::size_t receive_plain(char* into, std::size_t size);
    bool send_pending();
    template <class Operation>
    int run_tls(Operation operation);

    const client_options& options_;
    int socket_ = -1;
    client_context trust_;
    std::unique_ptr<SSL, ssl_deleter> tls_;
    clock::time_point deadline_;
    bool timed_out_ = false;
    bool ended_ = false;
    std::string error_;
};

bool client::connection::wait(short events) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - clock::now()).count();
        pollfd one{socket_, events, 0};
        const int ready =
            left > 0 ? ::poll(&one, 1, static_cast<int>(std::min<long long>(left, 1 << 30))) : 0;
        if (ready > 0) return true;
        if (ready < 0 && errno == EINTR) continue;
        timed_out_ = ready == 0;
        if (ready < 0) error_ = system_text(errno);
        return false;
    }
}

bool client::connection::connect_to(const addrinfo& where) {
    if (socket_ >= 0) ::close(socket_);
    socket_ = ::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) {
        error_ = system_text(errno);
        return false;
    }
    int problem = ::connect(socket_, where.ai_addr, where.ai_addrlen) == 0 ? 0 : errno;
    if (problem == EINPROGRESS) {
        if (!wait(POLLOUT)) return false;
        socklen_t size = sizeof problem;
        ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &problem, &size);
    }
    if (problem != 0) error_ = system_text(problem);
    return problem == 0;
}

maybe_failure client::connection::connect() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    if (const int code = ::getaddrinfo(options_.host.c_str(), options_.port.c_str(), &hints, &first);
        code != 0) {
        return client_failure{reason::host_not_found, ::gai_strerror(code)};
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(first, &::freeaddrinfo);
    begin_step();
    for (const auto* each = first; each != nullptr; each = each->ai_next) {
        if (connect_to(*each)) return std::nullopt;
        if (timed_out_) return client_failure{reason::connect_timeout, "timeout"};
    }
    return client_failure{reason::not_connected, error_};
}

maybe_failure client::connection::begin_tls() {
    trust_ = make_client_context(options_.ca_file);
    if (!trust_) return client_failure{reason::bad_ca_file, openssl_text()};
    tls_.reset(SSL_new(trust_.get()));
    // The bytes pass through memory, because OpenSSL's writing to sockets raises SIGPIPE.
    SSL_set_bio(tls_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(tls_.get());
    if (!expect_host(tls_.get(), options_.host)) return client_failure{reason::bad_host_name, options_.host};
    begin_step();
    if (run_tls([this] { return SSL_do_handshake(tls_.get()); }) > 0) return std::nullopt;
    if (const auto verdict = SSL_get_verify_result(tls_.get()); verdict != X509_V_OK) {
        return client_failure{reason::not_trusted, X509_verify_cert_error_string(verdict)};
    }
    if (timed_out_) return client_failure{reason::tls_timeout, "timeout"};
    return client_failure{reason::tls_broken, error_};
}

bool client::connection::send_plain(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait(POLLOUT)) return false;
        } else if (errno != EINTR) {
            error_ = system_text(errno);
            return false;
        }
    }
    return true;
}

std::size_t client::connection::receive_plain(char* into, std::size_t size) {
    for (;;) {
        const auto got = ::recv(socket_, into, size, 0);
        if (got >= 0) {
            ended_ = got == 0;
            return static_cast<std::size_t>(got);
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait(POLLIN)) return 0;
        } else if (errno != EINTR) {
            error_ = system_text(errno);
            return 0;
        }
    }
}

bool client::connection::send_pending() {
    std::array<char, 16 * 1024> block;
    for (;;) {
        const int size = BIO_read(SSL_get_wbio(tls_.get()), block.data(), static_cast<int>(block.size()));
        if (size <= 0) return true;
        if (!send_plain({block.data(), static_cast<std::size_t>(size)})) return false;
    }
}

template <class Operation>
int client::connection::run_tls(Operation operation) {
    for (;;) {
        ERR_clear_error();
        const int done = operation();
        const int state = SSL_get_error(tls_.get(), done);
        if (done <= 0 && state != SSL_ERROR_WANT_READ) error_ = openssl_text();
        if (!send_pending()) return -1;
        if (done > 0) return done;
        if (state == SSL_ERROR_ZERO_RETURN) {
            ended_ = true;
            return 0;
        }
        if (state != SSL_ERROR_WANT_READ) return -1;
        std::array<char, 16 * 1024> block;
        const auto got = receive_plain(block.data(), block.size());
        if (got == 0) {
            if (error_.empty()) error_ = "the connection ended";
            return -1;
        }
        BIO_write(SSL_get_rbio(tls_.get()), block.data(), static_cast<int>(got));
    }
}

bool client::connection::send(std::string_view bytes) {
    if (!tls_) return send_plain(bytes);
    while (!bytes.empty()) {
        const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), 16 * 1024));
        const int sent = run_tls([&] { return SSL_write(tls_.get(), bytes.data(), size); });
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::size_t client::connection::receive(char* into, std::size_t size) {
    if (!tls_) return receive_plain(into, size);
    const int got = run_tls([&] { return SSL_read(tls_.get(), into, static_cast<int>(size)); });
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

namespace {

std::string serialized(const client_request& asked) {
    beast::http::request<beast::http::string_body> message;
    message.version(11);
    message.method_string(to_beast(asked.method));
    message.target(to_beast(asked.target));
    for (const auto& [name, value] : asked.fields)
        message.insert(to_beast(name), to_beast(value));
    message.body() = asked.body;
    message.prepare_payload();
    beast::http::request_serializer<beast::http::string_body> serializer(message);
    std::string out;
    while (!serializer.is_done()) {
        beast::error_code failure;
        std::size_t size = 0;
        serializer.next(failure, [&](beast::error_code&, const auto& sequence) {
            for (const boost::asio::const_buffer part : beast::buffers_range_ref(sequence)) {
                out.append(static_cast<const char*>(part.data()), part.size());
                size += part.size();
            }
        });
        if (size == 0) break;
        serializer.consume(size);
    }
    return out;
}

using answer_parser = beast::http::response_parser<beast::http::string_body>;

/// All of @p bytes; what is behind the answer is an error of the server's.
void parse(answer_parser& parser, std::string_view bytes, std::string& kept, beast::error_code& failure) {
    kept.append(bytes);
    std::size_t used = 0;
    while (used < kept.size() && !parser.is_done()) {
        used += parser.put(boost::asio::const_buffer(kept.data() + used, kept.size() - used), failure);
        if (failure) break;
    }
    if (failure == beast::http::error::need_more) failure = {};
    kept.erase(0, used);
}

client_answer answer_of(answer_parser& parser) {
    auto& got = parser.get();
    client_answer out;
    out.status = got.result_int();
    for (const auto& field : got) {
        out.fields.emplace_back(std::string(field.name_string().data(), field.name_string().size()),
                                std::string(field.value().data(), field.value().size()));
    }
    out.body = std::move(got.body());
    return out;
}

}  // namespace

const std::string* client_answer::header(std::string_view name) const noexcept {
    for (const auto& [each, value] : fields) {
        if (equals_ignoring_case(each, name)) return &value;
    }
    return nullptr;
}

void throw_exception_from_error(const client_failure& failed, const boost::source_location& /*where*/) {
    throw std::logic_error("the value of a failed request was used: " + failed.detail);
}

client::client(client_options options) : options_(std::move(options)) {}
client::~client() = default;

client_result client::send(const client_request& asked) {
    auto current = std::move(connection_);
    if (!current) {
        current = std::make_unique<connection>(options_);
        if (auto failed = current->open()) return std::move(*failed);
    }
    current->begin_step();
    if (!current->send(serialized(asked))) return current->failure();
    current->begin_step();
    answer_parser parser;
    parser.eager(true);
    parser.body_limit(options_.max_body);
    parser.skip(asked.method == "HEAD");
    std::string kept;
    std::array<char, 16 * 1024> block;
    while (!parser.is_done()) {
        const auto got = current->receive(block.data(), block.size());
        beast::error_code failure;
        if (got > 0) {
            parse(parser, {block.data(), got}, kept, failure);
        } else if (current->ended() && parser.got_some()) {
            parser.put_eof(failure);
        } else {
            return current->failure();
        }
        if (failure) return client_failure{reason::answer_broken, failure.message()};
    }
    if (parser.keep_alive()) connection_ = std::move(current);
    return answer_of(parser);
}

}  // namespace gallery::http
