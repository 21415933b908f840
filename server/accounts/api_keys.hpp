// SPDX-License-Identifier: Apache-2.0
/// The use cases of API keys, for devices and scripts. Whoever comes with a key sees and revokes keys, and
/// makes, changes and enables none.
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

/// Proof that somebody signed in, and did not come with an API key. Move-only.
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

/// Error: permission_denied that says to sign in.
result<signed_in> prove_signed_in(anybody who);

struct made_key {
    api_key_ptr key;
    std::string secret;  ///< empty where a known key was changed
};

class api_keys {
public:
    /// @p all outlives this.
    explicit api_keys(directory& all) : all_(all) {}

    /// Makes a key, for the sender where no user was named, or changes one. Errors: not_found;
    /// permission_denied for a user whom the sender does not keep; invalid_argument for an expiration in the
    /// past and for another user of a known key.
    task<result<made_key>> save(signed_in who, submitted_api_key sent);
    task<result<api_key_ptr>> describe(signed_in who, api_key_id id, std::string description);
    task<result<api_key_ptr>> enable(signed_in who, api_key_id id);
    task<result<api_key_ptr>> disable(anybody who, api_key_id id);
    task<result<void>> erase(anybody who, api_key_id id);
    [[nodiscard]] std::vector<api_key_ptr> list(const kept_user& of) const;

    /// Milliseconds since 1970, by the directory's clock.
    [[nodiscard]] std::int64_t now() const { return all_.now(); }

private:
    /// The key, where the sender keeps its user. Errors: not_found; permission_denied.
    [[nodiscard]] result<api_key_ptr> find(const anybody& who, api_key_id id) const;
    task<result<api_key_ptr>> change(anybody who, api_key_id id, directory::edit<api_key> how);
    task<result<made_key>> create(anybody who, submitted_api_key sent);

    directory& all_;
};

}  // namespace gallery::accounts
