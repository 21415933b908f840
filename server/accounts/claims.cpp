// SPDX-License-Identifier: Apache-2.0
#include "accounts/claims.hpp"

#include "accounts/account_documents.hpp"
#include "accounts/account_tables.hpp"

namespace gallery::accounts {

std::optional<email_claim> claim_of(const user& value) {
    if (value.deleted) return std::nullopt;
    email_claim out;
    out.id = name_digest(folded_email(value.email));
    out.holder = value.id.value;
    return out;
}

std::optional<title_claim> claim_of(const customer& value) {
    title_claim out;
    // A UUID has a fixed length, so that no two pairs have the same text.
    out.id = name_digest(to_string(value.owner) + value.title);
    out.holder = value.id.value;
    return out;
}

std::optional<profile_name_claim> claim_of(const tenant_profile& value) {
    profile_name_claim out;
    out.id = name_digest(value.name);
    out.holder = value.id.value;
    return out;
}

}  // namespace gallery::accounts
