// SPDX-License-Identifier: Apache-2.0
/// Tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-512 (RFC 7518 section 3.2), with the claims that
/// ThingsBoard writes, so that with one signing key each server accepts the other's.
#pragma once

#include "auth/principal.hpp"

#include <gallery/error.hpp>
#include <gallery/uuid.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::auth {

enum class token_kind : std::uint8_t {
    access,   ///< authenticates a request; its only scope is an authority
    refresh,  ///< is exchanged for one new pair of tokens; its scope is "REFRESH_TOKEN"
};

/// The claims of a token. Of the identity, a refresh token has only user and email ("sub"); customer is empty
/// if the claim is absent or ThingsBoard's null id. Times are seconds since 1970.
struct token_claims : identity {
    token_kind kind = token_kind::access;
    std::string session;  ///< "sessionId"; the same in both tokens of a pair and after a refresh
    std::int64_t issued_at = 0;
    std::int64_t expires_at = 0;
    bool is_public = false;
    bool enabled = true;  ///< access tokens only
    std::string id;       ///< "jti"; refresh tokens only
};

/// The longest token that is checked, in characters.
inline constexpr std::size_t max_token_size = 8192;

/// How far the clock of the issuing server may be ahead of this one. A token is accepted this long before its
/// "nbf". "iat" is not compared with the clock, because RFC 7519 does not require it.
inline constexpr std::chrono::seconds clock_leeway{60};

/// Writes and checks tokens with one key. Immutable; all members may be called by any thread. Each thread
/// keeps one HMAC context of its own, which makes a check cost 2 instead of 6 microseconds.
class token_codec {
public:
    /// @p key: at least 64 bytes (RFC 7518 section 3.2). @p issuer: written into and required in each token.
    token_codec(std::string key, std::string issuer);
    token_codec(const token_codec&) = delete;
    token_codec& operator=(const token_codec&) = delete;
    ~token_codec();

    [[nodiscard]] std::string sign(const token_claims& claims) const;

    /// Checks form, algorithm (only HS512), signature, issuer, "exp" and "nbf", in this order. Errors:
    /// unauthenticated; token_expired ("Token has expired") for a valid token past its time.
    [[nodiscard]] result<token_claims> verify(std::string_view token,
                                              std::chrono::system_clock::time_point now) const;

    /// HMAC-SHA-512 of @p text with the signing key, 64 bytes: for other secrets derived from it.
    [[nodiscard]] std::string mac(std::string_view text) const;

private:
    std::string key_;
    std::string issuer_;
    std::uint64_t serial_;  ///< distinguishes codecs in the threads' contexts
};

}  // namespace gallery::auth
