// SPDX-License-Identifier: Apache-2.0
/// The keys that protect TLS session tickets, with which a client that comes again shortens its handshake.
///
/// OpenSSL would make such keys for each SSL_CTX. These are derived from a secret instead, so that a ticket
/// is accepted by each server that has the same secret, and also after the certificate was read again. Keys
/// change every few hours; a ticket of the last but one key is not accepted, and then the handshake is a full
/// one.
///
/// A shared secret protects tickets of TLS 1.3 only: there each session has a key exchange of its own (RFC
/// 8446, 2.2), so a stolen secret does not decrypt recorded traffic. Tickets of TLS 1.2 contain
/// the key of the session (RFC 5077), so their keys are of this process and are never derived from the shared
/// secret.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::http {

class ticket_keys {
public:
    /// With a random secret. Precondition: OpenSSL's random numbers work.
    ticket_keys();

    /// @p secret: any length, not guessable. Tickets before are not accepted any more. Not thread-safe; call
    /// it before connections are accepted.
    void share(std::string_view secret) { shared_.assign(secret); }

    /// Of connections that are made from @p context. This outlives all of them.
    void protect(SSL_CTX* context) const noexcept;

    /// The number of the keys at a time, in seconds since 1970.
    static constexpr std::int64_t period_seconds = 6 * 60 * 60;

private:
    static int callback(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, int encrypts);

    std::string own_;     ///< for TLS 1.2
    std::string shared_;  ///< for TLS 1.3
};

}  // namespace gallery::http
