// SPDX-License-Identifier: Apache-2.0
#include "admin/http_client.hpp"

#include "http/client.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

namespace gallery::admin {

namespace {

using reason = http::client_failure::reason;

/// An exported picture of 700 MB.
constexpr std::uint64_t largest_answer = 1U << 30U;

std::string text_of(const http::client_failure& failed, const http_client& how, bool changes) {
    const auto seconds = std::to_string(how.timeout.count()) + " s";
    const auto& where = how.where.text;
    const std::string unknown =
        changes ? ". Whether it was done is not known: look before you repeat it" : "";
    switch (failed.what) {
        case reason::host_not_found:
            return "the host of " + where + " is not found (" + failed.detail + "). Is the address right? " +
                   how.url_setting + " names it";
        case reason::connect_timeout:
            return "nothing answered at " + where + " within " + seconds +
                   ". Is the address right, and does a firewall let it through?";
        case reason::not_connected:
            return "no server answers at " + where + " (" + failed.detail +
                   "). Is it running, and is the address right? " + how.url_setting + " names it";
        case reason::bad_ca_file:
            return "the certificates in '" + how.ca_file + "' cannot be read (" + failed.detail +
                   "). --ca or GALLERY_CA names a file in PEM";
        case reason::bad_host_name:
            return "the host of " + where + " cannot be in a certificate";
        case reason::tls_timeout:
            return where + " did not begin TLS within " + seconds;
        case reason::not_trusted:
            return "the certificate of " + where + " is not trusted (" + failed.detail +
                   "). --ca or GALLERY_CA names the certificate of the authority that issued it";
        case reason::tls_broken:
            return where + " does not speak TLS as it should (" + failed.detail +
                   "). Is its address http:// instead of https://?";
        case reason::answer_timeout:
            return where + " did not answer within " + seconds + unknown;
        case reason::answer_broken:
            break;
    }
    return "what answers at " + where + " broke off or does not speak HTTP (" + failed.detail + ")" +
           unknown + (how.where.tls ? "" : ". Is its address https://?");
}

/// A proxy that compresses answers makes the ETag weak.
std::string opaque_part(std::string_view etag) {
    if (etag.starts_with("W/")) etag.remove_prefix(2);
    if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return {};
    return std::string(etag.substr(1, etag.size() - 2));
}

}  // namespace

http_client::http_client(const http_client& other)
    : where(other.where),
      ca_file(other.ca_file),
      timeout(other.timeout),
      keep_alive(other.keep_alive),
      url_setting(other.url_setting) {}

http_client::~http_client() = default;

outcome<http_answer> http_client::send(const http_request& asked) {
    http::client_request request;
    request.method = asked.method;
    request.target = where.base + asked.target;
    request.fields = {{"Host", where.authority},
                      {"Accept", "application/json"},
                      {"User-Agent", "gallery-admin"},
                      {"Connection", keep_alive ? "keep-alive" : "close"}};
    if (!asked.authorization.empty()) request.fields.emplace_back("X-Authorization", asked.authorization);
    if (!asked.body.empty()) request.fields.emplace_back("Content-Type", asked.content_type);
    request.fields.insert(request.fields.end(), asked.fields.begin(), asked.fields.end());
    request.body = asked.body;

    const bool may_be_closed = kept_ != nullptr;
    auto connection = std::move(kept_);
    if (!connection) {
        connection = std::make_unique<http::client>(http::client_options{.host = where.host,
                                                                         .port = where.port,
                                                                         .tls = where.tls,
                                                                         .ca_file = ca_file,
                                                                         .timeout = timeout,
                                                                         .max_body = largest_answer});
    }
    auto got = connection->send(request);
    if (!got && may_be_closed && got.error().what == reason::answer_broken && asked.method != "POST")
        got = connection->send(request);
    if (!got) {
        const bool is_configuration = got.error().what == reason::bad_ca_file;
        return failure{is_configuration ? exit_code::configuration : exit_code::unreachable,
                       text_of(got.error(), *this, asked.method != "GET")};
    }
    http_answer out;
    out.status = static_cast<int>(got->status);
    if (const auto* const location = got->header("Location")) out.location = *location;
    if (const auto* const etag = got->header("ETag")) out.etag = opaque_part(*etag);
    if (const auto* const after = got->header("Retry-After")) {
        out.may_repeat = true;
        int seconds = 0;
        std::from_chars(after->data(), after->data() + after->size(), seconds);
        out.retry_after = std::chrono::seconds(seconds);
    }
    if (keep_alive) kept_ = std::move(connection);
    out.body = std::move(got->body);
    return out;
}

}  // namespace gallery::admin
