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
    access,   ///< proves who asks; its only scope is an authority
    refresh,  ///< buys one new pair of tokens; its scope is "REFRESH_TOKEN"
};

/// What a token says. Times are seconds since 1970.
struct token_claims {
    token_kind kind = token_kind::access;
    std::string email;  ///< "sub"
    user_id user;
    std::string session;  ///< "sessionId"; the same in both tokens of a pair and after a refresh
    std::int64_t issued_at = 0;
    std::int64_t expires_at = 0;
    bool is_public = false;

    // Access tokens only.
    authority role = authority::customer_user;
    std::string first_name;
    std::string last_name;
    bool enabled = true;
    tenant_id tenant;
    std::optional<customer_id> customer;  ///< none where the claim is absent or ThingsBoard's null id

    // Refresh tokens only.
    std::string id;  ///< "jti"
};

/// The longest token that is looked at, in characters.
inline constexpr std::size_t max_token_size = 8192;

/// How far the clock of the server that issued a token may be ahead of this one's. A token is accepted this
/// long before its "nbf". "iat" is not compared with the clock at all, as RFC 7519 demands nothing of it.
inline constexpr std::chrono::seconds clock_leeway{60};

/// Writes and checks tokens with one key. Immutable; all members may be called by any thread. Each thread
/// keeps one HMAC context of its own, which makes a check cost 2 instead of 6 microseconds.
class token_codec {
public:
    /// @p key: at least 64 bytes (RFC 7518 section 3.2). @p issuer: written into and demanded of each token.
    token_codec(std::string key, std::string issuer);
    token_codec(const token_codec&) = delete;
    token_codec& operator=(const token_codec&) = delete;
    ~token_codec();

    [[nodiscard]] std::string sign(const token_claims& claims) const;

    /// Checks form, algorithm (HS512 and nothing else), signature, issuer, "exp" and "nbf", in this order.
    /// Errors: unauthenticated; token_expired ("Token has expired") for one that is sound but past its time.
    [[nodiscard]] result<token_claims> verify(std::string_view token,
                                              std::chrono::system_clock::time_point now) const;

    /// HMAC-SHA-512 of @p text with the signing key, 64 bytes: for other secrets derived from it.
    [[nodiscard]] std::string mac(std::string_view text) const;

private:
    std::string key_;
    std::string issuer_;
    std::uint64_t serial_;  ///< tells codecs apart in the threads' contexts
};

}  // namespace gallery::auth
