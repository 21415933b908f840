// SPDX-License-Identifier: Apache-2.0
// Writing: creating and changing accounts, each in one atomic step of the store.
#include "accounts/directory_internal.hpp"

#include "accounts/account_documents.hpp"

#include <type_traits>

namespace gallery::accounts {
namespace {

template <class Account>
error not_found(const Account* /*type*/, const std::string& id) {
    std::string_view what = "Session";
    if constexpr (std::is_same_v<Account, tenant_profile>) what = "Tenant profile";
    if constexpr (std::is_same_v<Account, tenant>) what = "Tenant";
    if constexpr (std::is_same_v<Account, customer>) what = "Customer";
    if constexpr (std::is_same_v<Account, user>) what = "User";
    if constexpr (std::is_same_v<Account, api_key>) what = "API key";
    return {errc::not_found, std::string(what) + " with id [" + id + "] is not found"};
}

std::string text_of(const std::string& id) {
    return id;
}
template <class Id>
std::string text_of(const Id& id) {
    return to_string(id);
}

template <class Account>
document_write require(const Account& value) {
    return document_write::require(std::string(Account::document_kind), to_string(value.id),
                                   precondition::match(value.rev));
}

/// In whose name an account is written.
tenant_id tenant_of(const tenant& value) {
    return value.id;
}
tenant_id tenant_of(const tenant_profile& /*value*/) {
    return system_tenant;
}
template <class Account>
tenant_id tenant_of(const Account& value) {
    return value.owner;
}
/// Of what has no tenant or is not known: the system.
template <class Account>
tenant_id tenant_of(const std::shared_ptr<const Account>& known) {
    if constexpr (requires { known->owner; } || std::is_same_v<Account, tenant>) {
        if (known) return tenant_of(*known);
    }
    return system_tenant;
}

/// What every new account has.
template <class Account>
void begin(Account& value, std::int64_t now) {
    if (value.id.value.is_nil()) value.id.value = random_uuid();
    if (value.created_time == 0) value.created_time = now;
    value.rev = 0;
}

}  // namespace

/// The accounts that @p after refers to must be as they are known. A user who enters a customer writes the
/// customer, too, as it is: so the customer's deletion, which requires its revision, does not miss the user.
/// The same for a tenant that gets a profile. The default profile is not written, so that servers that create
/// tenants at the same time do not disturb each other. It cannot be deleted before it is written as another
/// one becomes the default, and then its tenants are known.
template <class Account>
void directory::add_references(std::vector<document_write>& parts, const Account* before,
                               const Account& after) const {
    if (is_tombstone(after)) return;
    const shared_lock lock(tables_mutex_);
    // check() refuses a reference to nothing.
    if constexpr (std::is_same_v<Account, user>) {
        if (const auto owner = tables_->find<tenant>(after.owner)) parts.push_back(require(*owner));
        const auto group = after.customer ? tables_->find<customer>(*after.customer) : nullptr;
        if (!group) return;
        const bool enters = before == nullptr || before->customer != after.customer;
        parts.push_back(enters ? document_write::save(to_document(*group), precondition::match(group->rev))
                               : require(*group));
    } else if constexpr (std::is_same_v<Account, tenant>) {
        const auto profile = after.profile ? tables_->find<tenant_profile>(*after.profile) : nullptr;
        if (!profile || (before != nullptr && before->profile == after.profile)) return;
        parts.push_back(profile->is_default
                            ? require(*profile)
                            : document_write::save(to_document(*profile), precondition::match(profile->rev)));
    } else if constexpr (std::is_same_v<Account, customer>) {
        if (const auto owner = tables_->find<tenant>(after.owner)) parts.push_back(require(*owner));
    } else if constexpr (std::is_same_v<Account, api_key>) {
        if (const auto holder = tables_->find<user>(after.holder)) parts.push_back(require(*holder));
    }
}

/// In a turn. Writes the parts, and takes over the claims, customers and profiles among them. Error:
/// version_conflict where a part did not hold.
task<result<std::vector<revision>>> directory::commit(std::vector<document_write> parts) {
    auto outcome = co_await store_.write(parts);
    if (!outcome) co_return outcome.error();
    if (outcome->status != write_status::committed) co_return conflict();
    const lock_guard lock(tables_mutex_);
    auto& tables = *tables_;
    const auto take = [&]<class Account>(const document_write& part, revision rev,
                                         std::type_identity<Account>) {
        if (part.doc.kind != Account::document_kind || part.what == document_write::action::require) return;
        auto value = from_document<Account>(part.doc);
        if (part.what == document_write::action::save && value) {
            value->rev = rev;
            tables.put(std::make_shared<const Account>(std::move(*value)));
        }
    };
    const auto drop = [&]<class Claim>(const document_write& part, std::type_identity<Claim>) {
        if (part.doc.kind != Claim::document_kind || part.what != document_write::action::erase) return;
        if (const auto known = tables.find<Claim>(part.doc.id)) tables.remove(*known);
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
        take(parts[i], outcome->revs[i], std::type_identity<email_claim>());
        take(parts[i], outcome->revs[i], std::type_identity<title_claim>());
        take(parts[i], outcome->revs[i], std::type_identity<profile_name_claim>());
        take(parts[i], outcome->revs[i], std::type_identity<customer>());
        take(parts[i], outcome->revs[i], std::type_identity<tenant_profile>());
        drop(parts[i], std::type_identity<email_claim>());
        drop(parts[i], std::type_identity<title_claim>());
        drop(parts[i], std::type_identity<profile_name_claim>());
    }
    co_return std::move(outcome->revs);
}

/// In a turn. Precondition of the write: what is in memory is what is in the store, and @p also.
template <class Account>
task<result<directory::pointer<Account>>> directory::write(Account value, requirements also, bool reverify) {
    const auto before = find<Account>(value.id);
    const auto condition = value.rev == 0 ? precondition::absent() : precondition::match(value.rev);
    std::vector<document_write> parts;
    parts.push_back(document_write::save(to_document(value), condition));
    add_claims<Account>(parts, before.get(), &value);
    add_references<Account>(parts, before.get(), value);
    parts.insert(parts.end(), also.begin(), also.end());
    auto revs = co_await commit(std::move(parts));
    if (!revs) co_return revs.error();
    value.rev = revs->front();
    auto stored = std::make_shared<const Account>(std::move(value));
    install<Account>(stored, reverify);
    co_return stored;
}

// For directory_deletions.cpp and directory_sessions.cpp.
template task<result<directory::pointer<tenant>>> directory::write(tenant, requirements, bool);
template task<result<directory::pointer<ended_session>>> directory::write(ended_session, requirements, bool);
template task<result<directory::pointer<spent_token>>> directory::write(spent_token, requirements, bool);

template <class Account>
task<result<directory::pointer<Account>>> directory::create_one(Account value, requirements also,
                                                                bool reverify) {
    begin(value, now_());
    if constexpr (requires { value.version; }) value.version = 1;
    for (int attempt = 0; attempt < write_attempts; ++attempt) {
        if (auto fresh = co_await before_attempt(attempt); !fresh) co_return fresh.error();
        const auto turn = co_await writing_.take(tenant_of(value));
        if (!turn) co_return turn.error();
        if (const auto allowed = check(value); !allowed) co_return allowed.error();
        if (find<Account>(value.id)) break;  // the id is taken
        auto written = co_await write<Account>(value, also, reverify);
        if (written || !is_conflict(written.error())) co_return written;
    }
    co_return conflict();
}

task<result<tenant_profile_ptr>> directory::create(tenant_profile value, requirements also) {
    return create_one<tenant_profile>(std::move(value), std::move(also), false);
}
task<result<tenant_ptr>> directory::create(tenant value, requirements also) {
    // Under an id that is given, users of a ThingsBoard server may have been let in as those of a tenant with
    // the default profile. Of a new id no token can be known.
    const bool reverify = !value.id.value.is_nil();
    return create_one<tenant>(std::move(value), std::move(also), reverify);
}
task<result<customer_ptr>> directory::create(customer value, requirements also) {
    return create_one<customer>(std::move(value), std::move(also), false);
}
task<result<user_ptr>> directory::create(user value, requirements also) {
    // Likewise by the claims of a token alone.
    const bool reverify = !value.id.value.is_nil();
    return create_one<user>(std::move(value), std::move(also), reverify);
}
task<result<api_key_ptr>> directory::create(api_key value) {
    return create_one<api_key>(std::move(value), {}, false);
}

template <class Account, class Key>
task<result<directory::pointer<Account>>> directory::edit_one(Key key, edit<Account> how) {
    for (int attempt = 0; attempt < write_attempts; ++attempt) {
        if (auto fresh = co_await before_attempt(attempt); !fresh) co_return fresh.error();
        const auto turn = co_await writing_.take(tenant_of(find<Account>(key)));
        if (!turn) co_return turn.error();
        const auto known = find<Account>(key);
        if (!known || is_tombstone(*known)) co_return not_found(known.get(), to_string(key));
        Account next = *known;
        if (const auto done = how(next); !done) co_return done.error();
        if (const auto allowed = check(next); !allowed) co_return allowed.error();
        if constexpr (requires { next.version; }) ++next.version;
        const bool reverify = must_reverify(*known, next);
        auto written = co_await write<Account>(std::move(next), {}, reverify);
        if (written || !is_conflict(written.error())) co_return written;
    }
    co_return conflict();
}

task<result<tenant_profile_ptr>> directory::change_profile(tenant_profile_id id, edit<tenant_profile> how) {
    return edit_one<tenant_profile>(id, std::move(how));
}
task<result<tenant_ptr>> directory::change_tenant(tenant_id id, edit<tenant> how) {
    return edit_one<tenant>(id, std::move(how));
}
task<result<customer_ptr>> directory::change_customer(customer_id id, edit<customer> how) {
    return edit_one<customer>(id, std::move(how));
}
task<result<user_ptr>> directory::change_user(user_id id, edit<user> how) {
    return edit_one<user>(id, std::move(how));
}
task<result<api_key_ptr>> directory::change_api_key(api_key_id id, edit<api_key> how) {
    return edit_one<api_key>(id, std::move(how));
}

/// Erases an account, as it is known, with its claim. Nothing where another process was faster to erase it.
/// Errors, besides: not_found where it was never there; those of may_erase().
template <class Account, class Key>
task<result<void>> directory::erase_one(Key key, bool reverify) {
    for (int attempt = 0; attempt < write_attempts; ++attempt) {
        if (auto fresh = co_await before_attempt(attempt); !fresh) co_return fresh.error();
        const auto turn = co_await writing_.take(tenant_of(find<Account>(key)));
        if (!turn) co_return turn.error();
        const auto known = find<Account>(key);
        if (!known && attempt == 0) co_return not_found(known.get(), text_of(key));
        if (!known) co_return result<void>();
        if (const auto may = may_erase(*known); !may) co_return may.error();
        std::vector<document_write> parts;
        auto doc = to_document(*known);
        parts.push_back(
            document_write::erase(std::move(doc.kind), std::move(doc.id), precondition::match(known->rev)));
        add_claims<Account>(parts, known.get(), nullptr);
        auto erased = co_await commit(std::move(parts));
        if (erased) {
            forget(*known, reverify);
            co_return result<void>();
        }
        if (!is_conflict(erased.error())) co_return erased.error();
    }
    co_return conflict();
}

// For directory_deletions.cpp and directory_sessions.cpp.
template task<result<void>> directory::erase_one<customer>(customer_id, bool);
template task<result<void>> directory::erase_one<user>(user_id, bool);
template task<result<void>> directory::erase_one<api_key>(api_key_id, bool);
template task<result<void>> directory::erase_one<ended_session>(std::string, bool);
template task<result<void>> directory::erase_one<spent_token>(std::string, bool);

task<result<void>> directory::delete_profile(tenant_profile_id id) {
    return erase_one<tenant_profile>(id, false);
}

task<result<void>> directory::delete_api_key(api_key_id id) {
    return erase_one<api_key>(id, true);
}

}  // namespace gallery::accounts
