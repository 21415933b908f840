// SPDX-License-Identifier: Apache-2.0
// Claims of unique names: with each write of an account, for stores that were written without them, and of
// accounts that are no more.
#include "accounts/directory_internal.hpp"

#include "accounts/claims.hpp"

#include <type_traits>
#include <unordered_set>

namespace gallery::accounts {
namespace {

/// A claim and what is required for it are written in one step, so a group has an even number of parts.
constexpr std::size_t parts_of_claim = 2;
static_assert(document_store::max_parts % parts_of_claim == 0);

template <class Account>
constexpr bool has_claim = requires(const Account& value) {
    claim_of(value);
};

template <class Account>
document_write require_unchanged(const Account& value) {
    return document_write::require(std::string(Account::document_kind), to_string(value.id),
                                   precondition::match(value.rev));
}

}  // namespace

/// Adds the claim of the name of @p after, and the release of that of @p before; either may be null.
template <class Account>
void directory::add_claims(std::vector<document_write>& parts, const Account* before,
                           const Account* after) const {
    if constexpr (has_claim<Account>) {
        using claim_type = typename decltype(claim_of(*after))::value_type;
        const auto held = before != nullptr ? claim_of(*before) : std::nullopt;
        const auto wanted = after != nullptr ? claim_of(*after) : std::nullopt;
        const shared_lock lock(tables_mutex_);
        if (wanted && !tables_->find<claim_type>(wanted->id)) {
            parts.push_back(document_write::save(to_document(*wanted), precondition::absent()));
        }
        if (!held || (wanted && wanted->id == held->id)) return;
        const auto known = tables_->find<claim_type>(held->id);
        if (!known || known->holder != held->holder) return;
        parts.push_back(document_write::erase(std::string(claim_type::document_kind), known->id,
                                              precondition::match(known->rev)));
    }
}

#define GALLERY_CLAIMS(Account)                                                                \
    template void directory::add_claims<Account>(std::vector<document_write>&, const Account*, \
                                                 const Account*) const;
GALLERY_CLAIMS(tenant_profile)
GALLERY_CLAIMS(tenant)
GALLERY_CLAIMS(customer)
GALLERY_CLAIMS(user)
GALLERY_CLAIMS(api_key)
GALLERY_CLAIMS(ended_session)
GALLERY_CLAIMS(spent_token)
#undef GALLERY_CLAIMS

/// One atomic step with claims of accounts that have none, each together with the account as it is known, so
/// that no claim outlives its account. Empty where none is missing.
std::vector<document_write> directory::missing_claims() const {
    std::vector<document_write> parts;
    std::unordered_set<std::string> seen;
    const shared_lock lock(tables_mutex_);
    const auto& tables = *tables_;
    const auto add = [&](const auto& table) {
        for (const auto& [id, value] : table) {
            if (parts.size() == document_store::max_parts) return;
            const auto wanted = claim_of(*value);
            using claim_type = typename std::decay_t<decltype(wanted)>::value_type;
            if (!wanted || tables.find<claim_type>(wanted->id) || !seen.insert(wanted->id).second) continue;
            parts.push_back(document_write::save(to_document(*wanted), precondition::absent()));
            parts.push_back(require_unchanged(*value));
        }
    };
    add(tables.of<user>());
    add(tables.of<customer>());
    add(tables.of<tenant_profile>());
    return parts;
}

/// In a turn. Claims the names of accounts that were stored by a version without claims. Where the
/// store takes no writes they stay unclaimed: the accounts in memory still keep each name unique.
task<result<void>> directory::claim_names() {
    constexpr int most_refusals = 64;
    for (int refusals = 0; refusals < most_refusals;) {
        const auto parts = missing_claims();
        if (parts.empty()) co_return result<void>();
        auto done = co_await commit(parts);
        if (done) {
            refusals = 0;
            continue;
        }
        if (done.error().code == errc::no_space || done.error().code == errc::read_only) {
            co_return result<void>();
        }
        if (!is_conflict(done.error())) co_return done.error();
        // Another process claims names, or writes or erases one of the accounts, at the same moment. What is
        // missing after this is another list.
        ++refusals;
        for (const auto& part : parts) {
            auto read = co_await refresh_document(part.doc.kind, part.doc.id, 0);
            if (!read) co_return read;
        }
    }
    co_return error{errc::busy,
                    "The names of accounts cannot be claimed: other servers write them at the "
                    "same moment. Start this server again"};
}

/// Claims whose account is not there or has another name, each as an atomic step that erases it: only as long
/// as the account is as it is known.
std::vector<std::vector<document_write>> directory::orphaned_claims() const {
    std::vector<std::vector<document_write>> steps;
    const shared_lock lock(tables_mutex_);
    const auto& tables = *tables_;
    const auto add = [&]<class Claim, class Account>(std::type_identity<Claim>, std::type_identity<Account>) {
        using key_type = decltype(Account::id);
        for (const auto& [id, value] : tables.of<Claim>()) {
            const auto holder = tables.find<Account>(key_type{value->holder});
            const auto wanted = holder ? claim_of(*holder) : std::nullopt;
            if (wanted && wanted->id == id) continue;
            steps.push_back({document_write::erase(std::string(Claim::document_kind), id,
                                                   precondition::match(value->rev)),
                             document_write::require(
                                 std::string(Account::document_kind), to_string(value->holder),
                                 holder ? precondition::match(holder->rev) : precondition::absent())});
        }
    };
    add(std::type_identity<email_claim>(), std::type_identity<user>());
    add(std::type_identity<title_claim>(), std::type_identity<customer>());
    add(std::type_identity<profile_name_claim>(), std::type_identity<tenant_profile>());
    return steps;
}

}  // namespace gallery::accounts
