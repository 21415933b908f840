// SPDX-License-Identifier: Apache-2.0
/// Accounts as documents of the store and back. Pure functions.
///
/// Kind and id of the documents: "tenant_profile", "tenant", "customer", "user", "api_key" under the UUID in
/// canonical form; "session", "spent_token", "email", "customer_title" and "tenant_profile_name" under the
/// lower-case SHA-256 of their names, which may contain any characters. Bodies are JSON objects. Unknown
/// members are ignored, so an older server can read documents of a newer one.
#pragma once

#include "accounts/accounts.hpp"
#include "accounts/claims.hpp"

#include <gallery/error.hpp>
#include <gallery/storage.hpp>

#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace gallery::accounts {

/// Every type that is stored, in the order in which they are loaded: a type comes before those that refer to
/// it, so that a customer in memory implies the users that the customer had when it was read, and a profile
/// its tenants.
using stored_types = std::tuple<tenant_profile, tenant, customer, user, api_key, ended_session, spent_token,
                                email_claim, title_claim, profile_name_claim>;

/// Calls @p fn with std::type_identity<Account> for the type whose documents are of this kind. False where
/// there is none.
template <class Function>
bool with_type_of(std::string_view kind, Function fn) {
    const auto try_one = [&]<class Account>(std::type_identity<Account> type) {
        if (Account::document_kind != kind) return false;
        fn(type);
        return true;
    };
    return [&]<class... Accounts>(std::type_identity<std::tuple<Accounts...>>) {
        return (try_one(std::type_identity<Accounts>()) || ...);
    }(std::type_identity<stored_types>());
}

/// The id under which the document of a session or a spent token is kept.
std::string name_digest(std::string_view name);

/// For each of stored_types. The id of a session, a spent token and a claim is a name_digest() already.
template <class Account>
document to_document(const Account& value);

/// For each of stored_types. Error: corrupt, with the name of the document and the fault.
template <class Account>
result<Account> from_document(const document& doc);

}  // namespace gallery::accounts
