// SPDX-License-Identifier: Apache-2.0
/// TLS by OpenSSL on the client's side: which servers are trusted.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace gallery::http {

struct client_context_deleter {
    void operator()(SSL_CTX* p) const noexcept { SSL_CTX_free(p); }
};
using client_context = std::unique_ptr<SSL_CTX, client_context_deleter>;

/// For connections that verify their server's certificate, with TLS 1.2 or later. @p ca_file: PEM, instead of
/// the system's certificates; empty for those. Null if it cannot be read; the reason is in OpenSSL's queue
/// of errors.
client_context make_client_context(const std::string& ca_file);

/// @p connection accepts certificates for @p host only, a name or an IP address, and asks for that name's.
/// False where this cannot be the name in a certificate.
bool expect_host(SSL* connection, const std::string& host);

}  // namespace gallery::http
