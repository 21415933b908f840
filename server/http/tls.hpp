// SPDX-License-Identifier: Apache-2.0
/// TLS by OpenSSL, on sockets that do not block.
#pragma once

#include "http/server.hpp"
#include "http/ticket_keys.hpp"

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>

#include <openssl/ssl.h>

#include <memory>
#include <string_view>

namespace gallery::http {

struct tls_deleter {
    void operator()(SSL* connection) const noexcept { SSL_free(connection); }
};
using tls_connection = std::unique_ptr<SSL, tls_deleter>;

/// The certificate in use. Thread-safe; connections keep the one they began with.
class tls_context {
public:
    /// Errors: invalid_argument naming the file and what OpenSSL says of it.
    static result<std::unique_ptr<tls_context>> create(const tls_options& options);
    /// Reads the files again; keeps the old certificate on an error. Session tickets stay valid.
    result<void> reload();
    /// See ticket_keys::share(). Before the first accept().
    void share_tickets(std::string_view secret) { tickets_.share(secret); }
    /// A server's side on a connected socket that does not block; null where memory ran out. It reads from the
    /// socket, and writes to gathered_records().
    [[nodiscard]] tls_connection accept(int descriptor);

private:
    explicit tls_context(const tls_options& options) : options_(options) {}
    tls_options options_;
    ticket_keys tickets_;
    mutex lock_;
    std::shared_ptr<SSL_CTX> current_ GALLERY_GUARDED_BY(lock_);
};

}  // namespace gallery::http
