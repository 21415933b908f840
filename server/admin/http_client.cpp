// SPDX-License-Identifier: Apache-2.0
#include "admin/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <optional>
#include <utility>

namespace gallery::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;

using request_message = beast::http::request<beast::http::string_body>;

/// Far more than a page of accounts.
constexpr std::uint64_t max_answer = 64U << 20U;

/// What happens on one connection. Beast bounds only asynchronous operations, so each is started and then
/// waited for.
class exchange {
public:
    explicit exchange(const http_client& how) : how_(how), stream_(context_) {}

    outcome<http_answer> run(const http_request& asked);

private:
    template <class Start>
    error_code wait(Start start) {
        error_code outcome = asio::error::would_block;
        beast::get_lowest_layer(stream_).expires_after(how_.timeout);
        start([&outcome](error_code e, auto&&...) { outcome = e; });
        context_.restart();
        context_.run();
        return outcome;
    }

    outcome<void> connect();
    outcome<void> begin_tls(asio::ssl::context& trust);
    template <class Stream>
    outcome<http_answer> ask(Stream& stream, const http_request& asked);
    [[nodiscard]] failure unreachable(const std::string& what) const {
        return {exit_code::unreachable, what};
    }
    [[nodiscard]] std::string seconds() const { return std::to_string(how_.timeout.count()) + " s"; }

    const http_client& how_;
    asio::io_context context_{1};
    beast::tcp_stream stream_;
    std::optional<beast::ssl_stream<beast::tcp_stream&>> secure_;
};

outcome<void> exchange::connect() {
    tcp::resolver resolver(context_);
    error_code failed;
    const auto found = resolver.resolve(how_.where.host, how_.where.port, failed);
    if (failed) {
        return unreachable("the host of " + how_.where.text + " is not found (" + failed.message() +
                           "). Is the address right? --url or GALLERY_URL names it");
    }
    failed = wait([&](auto done) { stream_.async_connect(found, std::move(done)); });
    if (failed == beast::error::timeout) {
        return unreachable("nothing answered at " + how_.where.text + " within " + seconds() +
                           ". Is the address right, and does a firewall let it through?");
    }
    if (failed) {
        return unreachable("no server answers at " + how_.where.text + " (" + failed.message() +
                           "). Is it running, and is the address right? --url or GALLERY_URL names it");
    }
    return {};
}

outcome<void> exchange::begin_tls(asio::ssl::context& trust) {
    error_code failed;
    if (how_.ca_file.empty()) {
        trust.set_default_verify_paths(failed);
    } else {
        trust.load_verify_file(how_.ca_file, failed);
        if (failed) {
            return failure{exit_code::configuration, "the certificates in '" + how_.ca_file +
                                                         "' cannot be read (" + failed.message() +
                                                         "). --ca or GALLERY_CA names a file in PEM"};
        }
    }
    trust.set_verify_mode(asio::ssl::verify_peer);
    SSL_CTX_set_min_proto_version(trust.native_handle(), TLS1_2_VERSION);
    secure_.emplace(stream_, trust);
    auto* const ssl = secure_->native_handle();
    error_code not_an_address;
    (void)asio::ip::make_address(how_.where.host, not_an_address);
    // SSL_set_tlsext_host_name() is a macro with an old-style cast.
    std::string name = how_.where.host;
    const bool named = not_an_address ? SSL_set1_host(ssl, name.c_str()) == 1 &&
                                            SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                                     TLSEXT_NAMETYPE_host_name, name.data()) == 1
                                      : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
    if (!named) return unreachable("the host of " + how_.where.text + " cannot be in a certificate");
    failed =
        wait([&](auto done) { secure_->async_handshake(asio::ssl::stream_base::client, std::move(done)); });
    if (!failed) return {};
    if (const auto verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK) {
        return unreachable("the certificate of " + how_.where.text + " is not trusted (" +
                           X509_verify_cert_error_string(verdict) +
                           "). --ca or GALLERY_CA names the certificate of the authority that issued it");
    }
    if (failed == beast::error::timeout) {
        return unreachable(how_.where.text + " did not begin TLS within " + seconds());
    }
    return unreachable(how_.where.text + " does not speak TLS as it should (" + failed.message() +
                       "). Is its address http:// instead of https://?");
}

template <class Stream>
outcome<http_answer> exchange::ask(Stream& stream, const http_request& asked) {
    namespace http = beast::http;
    request_message message;
    message.version(11);
    message.method_string(asked.method);
    message.target(how_.where.base + asked.target);
    message.set(http::field::host, how_.where.authority);
    message.set(http::field::accept, "application/json");
    message.set(http::field::user_agent, "gallery-admin");
    message.set(http::field::connection, "close");
    if (!asked.authorization.empty()) message.set("X-Authorization", asked.authorization);
    if (!asked.body.empty()) message.set(http::field::content_type, "application/json");
    message.body() = asked.body;
    message.prepare_payload();
    auto failed = wait([&](auto done) { http::async_write(stream, message, std::move(done)); });

    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(max_answer);
    if (!failed) {
        failed = wait([&](auto done) { http::async_read(stream, buffer, parser, std::move(done)); });
    }
    if (failed) {
        const bool changes = asked.method != "GET";
        std::string text = failed == beast::error::timeout
                               ? how_.where.text + " did not answer within " + seconds()
                               : "what answers at " + how_.where.text +
                                     " broke off or does not speak HTTP (" + failed.message() + ")";
        if (changes) text += ". Whether it was done is not known: look before you repeat it";
        if (!how_.where.tls && failed != beast::error::timeout) text += ". Is its address https://?";
        return unreachable(text);
    }
    auto& got = parser.get();
    http_answer out;
    out.status = static_cast<int>(got.result_int());
    out.location = got[http::field::location];
    out.may_repeat = got.find(http::field::retry_after) != got.end();
    out.body = std::move(got.body());
    return out;
}

outcome<http_answer> exchange::run(const http_request& asked) {
    if (auto connected = connect(); !connected) return connected.error();
    if (!how_.where.tls) return ask(stream_, asked);
    asio::ssl::context trust(asio::ssl::context::tls_client);
    if (auto begun = begin_tls(trust); !begun) return begun.error();
    // Without a close_notify at the end: the answer's length says whether it is complete.
    return ask(*secure_, asked);
}

}  // namespace

outcome<http_answer> http_client::send(const http_request& asked) const {
    exchange once(*this);
    return once.run(asked);
}

}  // namespace gallery::admin
