// SPDX-License-Identifier: Apache-2.0
/// The use cases of API keys, for devices and scripts. A request with an API key can list and revoke keys,
/// but not create, change or enable them.
///
/// Threads: any number of calls on any I/O threads. Errors, besides those named: those of the directory.
#pragma once

#include "accounts/directory.hpp"
#include "accounts/proof.hpp"
#include "accounts/submitted.hpp"
#include "accounts/users.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gallery::accounts {

/// Proof of a login with a password, and not by an API key. Move-only.
class signed_in : auth::move_only {
public:
    [[nodiscard]] const anybody& who() const noexcept { return who_; }
    /// The weaker proof in it, which is spent.
    [[nodiscard]] anybody release() && noexcept { return std::move(who_); }

private:
    explicit signed_in(anybody who) noexcept : who_(std::move(who)) {}
    friend result<signed_in> prove_signed_in(anybody who);
    anybody who_;
};

/// Error: permission_denied, whose message asks the user to sign in.
result<signed_in> prove_signed_in(anybody who);

struct made_key {
    api_key_ptr key;
    std::string secret;  ///< empty if an existing key was changed
};

class api_keys {
public:
    /// @p all outlives this.
    explicit api_keys(directory& all) : all_(all) {}

    /// Creates a key, for the sender unless a user was named, or changes one. Errors: not_found;
    /// permission_denied for a user whom the sender does not manage; invalid_argument for an expiration in
    /// the past and for another user of an existing key.
    task<result<made_key>> save(signed_in who, submitted_api_key sent);
    task<result<api_key_ptr>> describe(signed_in who, api_key_id id, std::string description);
    task<result<api_key_ptr>> enable(signed_in who, api_key_id id);
    task<result<api_key_ptr>> disable(anybody who, api_key_id id);
    task<result<void>> erase(anybody who, api_key_id id);
    [[nodiscard]] std::vector<api_key_ptr> list(const managed_user& of) const;

    /// Milliseconds since 1970, by the directory's clock.
    [[nodiscard]] std::int64_t now() const { return all_.now(); }

private:
    /// The key, if the sender manages its user. Errors: not_found; permission_denied.
    [[nodiscard]] result<api_key_ptr> find(const anybody& who, api_key_id id) const;
    task<result<api_key_ptr>> change(anybody who, api_key_id id, directory::edit<api_key> how);
    task<result<made_key>> create(anybody who, submitted_api_key sent);

    directory& all_;
};

}  // namespace gallery::accounts
