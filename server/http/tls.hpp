// SPDX-License-Identifier: Apache-2.0
/// TLS by OpenSSL, on sockets that do not block.
#pragma once

#include "http/server.hpp"
#include "http/ticket_keys.hpp"

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace gallery::http {

struct tls_deleter {
    void operator()(SSL* connection) const noexcept { SSL_free(connection); }
};
using tls_connection = std::unique_ptr<SSL, tls_deleter>;

/// A certificate and a key that belong together, with the versions and ciphers to use.
struct loaded_tls {
    std::shared_ptr<SSL_CTX> context;  ///< not null
    /// The server's certificate for people: "SHA-256 2fd4...e19b, valid until 2027-01-31T12:00:00Z".
    std::string certificate;
};

/// Reads the files. Errors: invalid_argument with the file and the message of OpenSSL.
result<loaded_tls> load_tls(const tls_options& options);

/// The certificate in use. Thread-safe; connections keep the one they began with.
class tls_context {
public:
    explicit tls_context(loaded_tls loaded);
    /// For connections from now on. Session tickets stay valid.
    void use(loaded_tls loaded);
    /// See ticket_keys::share(). Before the first accept().
    void share_tickets(std::string_view secret) { tickets_.share(secret); }
    [[nodiscard]] std::string certificate() const;
    /// A server's side on a connected socket that does not block; null where memory ran out. It reads from
    /// the socket, and writes to gathered_records().
    [[nodiscard]] tls_connection accept(int descriptor);

private:
    ticket_keys tickets_;
    mutable mutex lock_;
    loaded_tls current_ GALLERY_GUARDED_BY(lock_);
};

}  // namespace gallery::http
