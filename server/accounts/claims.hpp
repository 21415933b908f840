// SPDX-License-Identifier: Apache-2.0
/// Names that only one account may have: the e-mail address of a user, the title of a customer within its
/// tenant, and the name of a tenant profile.
///
/// A name is claimed by a document. Its id is a digest of the name, and its body contains the account. It is
/// written under the precondition `absent` in the same atomic step as the account, and erased in the step
/// that renames or deletes the account. Therefore the store decides which account gets a name, for any number
/// of servers.
#pragma once

#include "accounts/accounts.hpp"

#include <gallery/model.hpp>
#include <gallery/uuid.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gallery::accounts {

struct claim {
    std::string id;  ///< of its document: name_digest() of the name
    uuid holder{};   ///< id of the user, customer or profile
    revision rev = 0;
};
struct email_claim : claim {
    static constexpr std::string_view document_kind = "email";
};
struct title_claim : claim {
    static constexpr std::string_view document_kind = "customer_title";
};
struct profile_name_claim : claim {
    static constexpr std::string_view document_kind = "tenant_profile_name";
};

/// The claim that belongs to an account; empty for a tombstone. E-mail addresses are claimed in their folded
/// form, titles and names as they are.
std::optional<email_claim> claim_of(const user& value);
std::optional<title_claim> claim_of(const customer& value);
std::optional<profile_name_claim> claim_of(const tenant_profile& value);

}  // namespace gallery::accounts
