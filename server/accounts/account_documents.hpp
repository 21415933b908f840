// SPDX-License-Identifier: Apache-2.0
/// Accounts as documents of the store and back. Pure functions.
///
/// Kind and id of the documents: "tenant", "customer", "user", "api_key" under the UUID in canonical form;
/// "session", "spent_token", "email" and "customer_title" under the lower-case SHA-256 of their names, which
/// may hold anything. Bodies are JSON objects; members that are not known are ignored, so that an
/// older server reads what a newer one wrote.
#pragma once

#include "accounts/accounts.hpp"
#include "accounts/claims.hpp"

#include <gallery/error.hpp>
#include <gallery/storage.hpp>

#include <string>
#include <string_view>

namespace gallery::accounts {

template <class Account>
struct document_of;  ///< specialised below: kind, and the key of an account in memory

template <>
struct document_of<tenant> {
    static constexpr std::string_view kind = "tenant";
};
template <>
struct document_of<customer> {
    static constexpr std::string_view kind = "customer";
};
template <>
struct document_of<user> {
    static constexpr std::string_view kind = "user";
};
template <>
struct document_of<api_key> {
    static constexpr std::string_view kind = "api_key";
};
template <>
struct document_of<ended_session> {
    static constexpr std::string_view kind = "session";
};
template <>
struct document_of<spent_token> {
    static constexpr std::string_view kind = "spent_token";
};
template <>
struct document_of<email_claim> {
    static constexpr std::string_view kind = "email";
};
template <>
struct document_of<title_claim> {
    static constexpr std::string_view kind = "customer_title";
};

/// The id under which the document of a session or a spent token is kept.
std::string name_digest(std::string_view name);

document to_document(const tenant& value);
document to_document(const customer& value);
document to_document(const user& value);
document to_document(const api_key& value);
document to_document(const ended_session& value);  ///< its id is a name_digest() already
document to_document(const spent_token& value);    ///< its id is a name_digest() already
document to_document(const email_claim& value);
document to_document(const title_claim& value);

/// Error: corrupt, naming the document and what is wrong with it.
template <class Account>
result<Account> from_document(const document& doc);

template <>
result<tenant> from_document<tenant>(const document& doc);
template <>
result<customer> from_document<customer>(const document& doc);
template <>
result<user> from_document<user>(const document& doc);
template <>
result<api_key> from_document<api_key>(const document& doc);
template <>
result<ended_session> from_document<ended_session>(const document& doc);
template <>
result<spent_token> from_document<spent_token>(const document& doc);
template <>
result<email_claim> from_document<email_claim>(const document& doc);
template <>
result<title_claim> from_document<title_claim>(const document& doc);

}  // namespace gallery::accounts
