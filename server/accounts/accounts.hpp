// SPDX-License-Identifier: Apache-2.0
/// The types of accounts. Each account is one document of the store (account_documents.hpp), and one
/// immutable object in memory that readers share.
#pragma once

#include "accounts/tenant_limits.hpp"
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
#include <vector>

namespace gallery::accounts {

/// The contact data of a tenant or customer. The server only stores it.
struct contact {
    std::string country, state, city, address, address2, zip, phone, email;

    friend bool operator==(const contact&, const contact&) = default;
};

struct contact_field {
    std::string_view name;
    std::string contact::*member;
};
/// The names of the fields in JSON.
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

/// For all types: times are milliseconds since 1970-01-01T00:00Z unless stated otherwise. rev is 0 before the
/// first save. additional_info is JSON text, or empty. version counts the saves. document_kind is the kind of
/// the stored documents.
using tenant_profile_id = basic_id<struct tenant_profile_tag>;

/// The limits of the tenants that belong to it, as ThingsBoard has them.
struct tenant_profile {
    static constexpr std::string_view document_kind = "tenant_profile";

    tenant_profile_id id;
    std::int64_t created_time = 0;
    std::string name;  ///< unique
    std::string description;
    bool is_default = false;  ///< for new tenants; true for one profile
    /// ThingsBoard's isolatedTbRuleEngine. The server only stores it.
    bool isolated_rule_engine = false;
    /// ThingsBoard's profileData, as JSON text. profile_data.hpp sets it and the limits.
    std::string data;
    tenant_limits_ptr limits;  ///< those that data contains; null if there are none
    /// Why limits that stored data contains do not apply, a sentence for each field. See restore_data().
    std::vector<std::string> ignored_limits;
    revision rev = 0;
};

struct tenant {
    static constexpr std::string_view document_kind = "tenant";

    tenant_id id;
    std::int64_t created_time = 0;
    std::string title;
    std::string region;
    contact reach;
    /// Absent in stores of versions without profiles, which also stored ids of profiles that do not exist.
    /// Such a tenant has the first profile (account_tables::profile_of()).
    std::optional<tenant_profile_id> profile;
    std::string additional_info;
    std::int64_t version = 0;
    /// The deletion is in progress: its users have no access, and its images and accounts are being erased.
    bool deleting = false;
    /// This is a tombstone. It is kept permanently, so that tokens of a ThingsBoard server for this tenant
    /// are refused.
    bool deleted = false;
    /// Of a tombstone: when the deletion ended; 0 if an earlier version of the server wrote it.
    std::int64_t deleted_time = 0;
    /// Of a tombstone: no image of the tenant can be left or appear (directory::note_no_images()).
    bool images_erased = false;
    revision rev = 0;

    /// Deleted, or being deleted.
    [[nodiscard]] bool is_deleted() const noexcept { return deleting || deleted; }
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

/// The link with which a new user sets the first password. Its token is derived from the nonce and the
/// signing key, and is not stored.
struct activation {
    std::string nonce;
    std::int64_t expires = 0;
    std::optional<api_key_id> made_with;  ///< the API key that created the user, if any
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
    std::string password_hash;            ///< empty until the user has set a password
    std::optional<activation> pending;    ///< until then
    std::int64_t tokens_valid_after = 0;  ///< seconds; tokens issued then or earlier are refused
    bool deleted = false;                 ///< a tombstone, with id, owner and times only
    std::int64_t forget_after = 0;        ///< of a tombstone: the expiry of the user's last token
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
    sha256_digest hash{};        ///< of the secret; it is random, so a fast hash is enough
    std::int64_t last_used = 0;  ///< as stored, at most a minute late; 0: never
    /// The latest use. Requests write it; directory::record_uses() stores it. Shared by all objects of this
    /// key.
    std::shared_ptr<std::atomic<std::int64_t>> latest_use = std::make_shared<std::atomic<std::int64_t>>(0);
    revision rev = 0;

    [[nodiscard]] bool expired(std::int64_t now) const noexcept {
        return expiration_time != 0 && expiration_time <= now;
    }
};

/// A session that was logged out. Its tokens are refused; forget_after is the expiry of the last one.
struct ended_session {
    static constexpr std::string_view document_kind = "session";

    std::string id;
    std::int64_t forget_after = 0;
    revision rev = 0;
};

/// A refresh token that was exchanged for new tokens.
struct spent_token {
    static constexpr std::string_view document_kind = "spent_token";

    std::string id;
    std::int64_t spent_at = 0;
    std::int64_t forget_after = 0;
    revision rev = 0;
};

using tenant_profile_ptr = std::shared_ptr<const tenant_profile>;
using tenant_ptr = std::shared_ptr<const tenant>;
using customer_ptr = std::shared_ptr<const customer>;
using user_ptr = std::shared_ptr<const user>;
using api_key_ptr = std::shared_ptr<const api_key>;

}  // namespace gallery::accounts
