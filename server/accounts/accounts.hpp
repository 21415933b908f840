// SPDX-License-Identifier: Apache-2.0
/// What accounts consist of. Each is kept as one document of the store (see account_documents.hpp) and in
/// memory as an immutable object that readers share.
#pragma once

#include "auth/principal.hpp"

#include <gallery/model.hpp>
#include <gallery/sha256.hpp>
#include <gallery/uuid.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::accounts {

/// Where a tenant or customer is reached. None of it means anything to the server.
struct contact {
    std::string country, state, city, address, address2, zip, phone, email;

    friend bool operator==(const contact&, const contact&) = default;
};

struct contact_field {
    std::string_view name;
    std::string contact::*member;
};
/// The names that the fields have in JSON.
inline constexpr std::array<contact_field, 8> contact_fields{{
    {"country", &contact::country},
    {"state", &contact::state},
    {"city", &contact::city},
    {"address", &contact::address},
    {"address2", &contact::address2},
    {"zip", &contact::zip},
    {"phone", &contact::phone},
    {"email", &contact::email},
}};

/// Times are milliseconds since 1970-01-01T00:00Z where nothing else is said. rev is 0 before the first save.
/// additional_info is JSON text, "" for none; version counts the saves. document_kind is the kind of the
/// documents that accounts of the type are stored as.
struct tenant {
    static constexpr std::string_view document_kind = "tenant";

    tenant_id id;
    std::int64_t created_time = 0;
    std::string title;
    std::string region;
    contact reach;
    std::optional<uuid> profile;
    std::string additional_info;
    std::int64_t version = 0;
    /// Being deleted: nobody of it is let in any more, and what it owned is being erased.
    bool deleting = false;
    /// Deleted, and kept as a tombstone: tokens of a ThingsBoard server for it are refused.
    bool deleted = false;
    revision rev = 0;

    [[nodiscard]] bool is_gone() const noexcept { return deleting || deleted; }
};

struct customer {
    static constexpr std::string_view document_kind = "customer";

    customer_id id;
    tenant_id owner;
    std::int64_t created_time = 0;
    std::string title;
    contact reach;
    std::string additional_info;
    std::int64_t version = 0;
    revision rev = 0;
};

/// A link by which a new user chooses the first password. The token in it is derived from the nonce with the
/// signing key and is not kept.
struct activation {
    std::string nonce;
    std::int64_t expires = 0;
    std::optional<api_key_id> made_with;  ///< the API key that made the user, if one did
};

struct user {
    static constexpr std::string_view document_kind = "user";

    user_id id;
    tenant_id owner;  ///< system_tenant for system administrators
    std::optional<customer_id> customer;
    auth::authority role = auth::authority::customer_user;
    std::int64_t created_time = 0;
    std::string email;
    std::string first_name;
    std::string last_name;
    std::string phone;
    std::string additional_info;
    std::int64_t version = 0;
    bool enabled = true;
    std::string password_hash;            ///< empty until a password has been chosen
    std::optional<activation> pending;    ///< until then
    std::int64_t tokens_valid_after = 0;  ///< seconds; tokens issued then or earlier are refused
    bool deleted = false;                 ///< kept as a tombstone, with id, owner and times only
    std::int64_t forget_after = 0;        ///< of a tombstone: when every token that the user had has expired
    revision rev = 0;
};

inline auth::identity identity_of(const user& account) {
    return {.user = account.id,
            .tenant = account.owner,
            .customer = account.customer,
            .role = account.role,
            .email = account.email,
            .first_name = account.first_name,
            .last_name = account.last_name};
}

struct api_key {
    static constexpr std::string_view document_kind = "api_key";

    api_key_id id;
    user_id holder;
    tenant_id owner;
    std::int64_t created_time = 0;
    std::int64_t expiration_time = 0;  ///< 0: never
    std::string description;
    bool enabled = true;
    sha256_digest hash{};        ///< of the secret, which is random enough not to need a slow hash
    std::int64_t last_used = 0;  ///< as recorded, at most a minute behind; 0: never
    /// The latest use, written by requests and recorded by directory::record_uses(). Shared by all versions
    /// of this key.
    std::shared_ptr<std::atomic<std::int64_t>> latest_use = std::make_shared<std::atomic<std::int64_t>>(0);
    revision rev = 0;

    [[nodiscard]] bool expired(std::int64_t now) const noexcept {
        return expiration_time != 0 && expiration_time <= now;
    }
};

/// A session that was logged out: tokens that name it are refused until the last of them has expired.
struct ended_session {
    static constexpr std::string_view document_kind = "session";

    std::string id;
    std::int64_t forget_after = 0;
    revision rev = 0;
};

/// A refresh token that has bought its pair.
struct spent_token {
    static constexpr std::string_view document_kind = "spent_token";

    std::string id;
    std::int64_t spent_at = 0;
    std::int64_t forget_after = 0;
    revision rev = 0;
};

using tenant_ptr = std::shared_ptr<const tenant>;
using customer_ptr = std::shared_ptr<const customer>;
using user_ptr = std::shared_ptr<const user>;
using api_key_ptr = std::shared_ptr<const api_key>;

}  // namespace gallery::accounts
