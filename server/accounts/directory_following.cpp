// SPDX-License-Identifier: Apache-2.0
// From the store to memory: loading, and following what other processes write.
#include "accounts/directory_internal.hpp"

#include <algorithm>
#include <type_traits>

namespace gallery::accounts {
namespace {

constexpr std::size_t scan_size = 1000;

template <class Account>
constexpr bool must_reverify_erased = std::is_same_v<Account, user> || std::is_same_v<Account, api_key>;

tenant_limits value_of(const tenant_limits_ptr& limits) {
    return limits ? *limits : tenant_limits();
}

}  // namespace

bool must_reverify(const user& before, const user& after) {
    return before.enabled != after.enabled || before.deleted != after.deleted || before.role != after.role ||
           before.owner != after.owner || before.customer != after.customer || before.email != after.email ||
           before.first_name != after.first_name || before.last_name != after.last_name ||
           before.tokens_valid_after != after.tokens_valid_after;
}
/// Whoever has a token of the tenant has the limits of its profile.
bool must_reverify(const tenant& before, const tenant& after) {
    return before.deleting != after.deleting || before.deleted != after.deleted ||
           before.profile != after.profile;
}
bool must_reverify(const tenant_profile& before, const tenant_profile& after) {
    return before.is_default != after.is_default || value_of(before.limits) != value_of(after.limits);
}
bool must_reverify(const api_key& before, const api_key& after) {
    return before.enabled != after.enabled || before.expiration_time != after.expiration_time ||
           before.hash != after.hash || before.holder != after.holder;
}

/// Tenants that are known already have the limits of the default profile while theirs is not known.
bool directory::must_reverify_new(const tenant_profile& value) const {
    if (value.is_default || value.id == first_tenant_profile) return true;
    const shared_lock lock(tables_mutex_);
    const auto& all = tables_->of<tenant>();
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& entry) { return entry.second->profile == value.id; });
}

/// Users of a ThingsBoard server may have been let in as those of a tenant with the default profile.
bool directory::must_reverify_new(const tenant& value) const {
    if (value.is_deleted()) return true;
    if (!options_.foreign_users) return false;
    const shared_lock lock(tables_mutex_);
    const auto own = tables_->profile_of(value);
    const auto usual = tables_->default_profile();
    return value_of(own ? own->limits : nullptr) != value_of(usual ? usual->limits : nullptr);
}

/// A user of a ThingsBoard server may have been let in by the claims of a token alone.
bool directory::must_reverify_new(const user& value) const {
    return options_.foreign_users || value.deleted;
}

void directory::log_ignored(const tenant_profile& value) const {
    for (const auto& fault : value.ignored_limits) {
        options_.log("The tenant profile '" + value.name + "' (" + to_string(value.id) +
                     ") contains a limit that this version does not accept. It does not apply to any tenant "
                     "until the profile is saved with another value. " +
                     fault);
    }
}

template <class Account>
task<result<void>> directory::load_type(account_tables* into) {
    std::string cursor;
    do {
        auto page = co_await store_.scan(std::string(Account::document_kind), std::move(cursor), scan_size);
        if (!page && page.error().code == errc::stale) {
            // The store was switched. What was read is also in the new store, with other revisions; reading
            // it again replaces it.
            cursor.clear();
            page = co_await store_.scan(std::string(Account::document_kind), {}, scan_size);
        }
        if (!page) co_return page.error();
        for (const auto& doc : page->items) {
            auto value = from_document<Account>(doc);
            if (!value) co_return value.error();
            if constexpr (std::is_same_v<Account, tenant_profile>) log_ignored(*value);
            if constexpr (std::is_same_v<Account, api_key>) {
                // Requests may be using the key while it is read again.
                if (const auto known = find<api_key>(value->id)) value->latest_use = known->latest_use;
            }
            into->put(std::make_shared<const Account>(std::move(*value)));
        }
        cursor = std::move(page->cursor);
    } while (!cursor.empty());
    co_return result<void>();
}

task<result<void>> directory::load() {
    const auto turn = co_await writing_.take_first();
    auto fresh = std::make_unique<account_tables>();
    // In the order of stored_types.
    if (auto done = co_await load_type<tenant_profile>(fresh.get()); !done) co_return done;
    if (auto done = co_await load_type<tenant>(fresh.get()); !done) co_return done;
    if (auto done = co_await load_type<customer>(fresh.get()); !done) co_return done;
    if (auto done = co_await load_type<user>(fresh.get()); !done) co_return done;
    if (auto done = co_await load_type<api_key>(fresh.get()); !done) co_return done;
    if (auto done = co_await load_type<ended_session>(fresh.get()); !done) co_return done;
    if (auto done = co_await load_type<spent_token>(fresh.get()); !done) co_return done;
    if (auto done = co_await load_type<email_claim>(fresh.get()); !done) co_return done;
    if (auto done = co_await load_type<title_claim>(fresh.get()); !done) co_return done;
    if (auto done = co_await load_type<profile_name_claim>(fresh.get()); !done) co_return done;
    {
        const lock_guard lock(tables_mutex_);
        tables_ = std::move(fresh);
    }
    epoch_.bump();
    co_return co_await claim_names();
}

result<void> directory::require_fresh() const {
    if (options_.fresh->holds()) return {};
    return error{errc::unavailable,
                 "changes of other servers are unknown, because the changes of the store have not been read "
                 "to their end for longer than cluster.staleness"};
}

bool directory::is_followed() const {
    return catch_up_ && (!others_write_ || others_write_());
}

task<result<void>> directory::catch_up() {
    if (is_followed()) co_return co_await catch_up_();
    co_return result<void>();
}

/// Not in a turn: catching up goes through apply(), which takes one.
task<result<void>> directory::before_attempt(int attempt) {
    if (is_followed()) co_return co_await catch_up_();
    if (attempt > 0) co_return co_await load();
    co_return result<void>();
}

/// Whether memory contains a change, or does not depend on it. An erased account that is not known cannot
/// become known by a write of this process that is older: that one comes before it in the feed, and apply()
/// has waited for it.
bool directory::is_applied(const change& what) const {
    bool applied = true;
    with_type_of(what.document_kind, [&]<class Account>(std::type_identity<Account>) {
        using key_type = decltype(Account::id);
        pointer<Account> known;
        if constexpr (std::is_same_v<key_type, std::string>) {
            known = find<Account>(what.document_id);
        } else if (const auto id = parse_uuid(what.document_id)) {
            known = find<Account>(key_type{*id});
        } else {
            return;
        }
        applied = known ? known->rev >= what.rev : what.what == change::kind::document_erased;
    });
    return applied;
}

task<result<void>> directory::apply(change what) {
    if (what.what != change::kind::document_saved && what.what != change::kind::document_erased) {
        co_return result<void>();
    }
    if (is_applied(what)) co_return result<void>();
    const auto turn = co_await writing_.take_first();
    co_return co_await refresh_document(std::move(what.document_kind), std::move(what.document_id), what.rev);
}

/// In a turn. Takes over what the store has under an id, if it is newer than what is known; @p rev 0:
/// in any case.
template <class Account, class Key>
task<result<void>> directory::refresh(Key key, std::string id, revision rev) {
    const auto known = find<Account>(key);
    if (known && known->rev >= rev && rev != 0) co_return result<void>();
    auto doc = co_await store_.find(std::string(Account::document_kind), std::move(id));
    if (!doc) {
        if (doc.error().code != errc::not_found) co_return doc.error();
        if (known) forget(*known, must_reverify_erased<Account>);
        co_return result<void>();
    }
    auto value = from_document<Account>(*doc);
    if (!value) co_return value.error();
    if constexpr (std::is_same_v<Account, customer> || std::is_same_v<Account, tenant_profile>) {
        // Who knows the revision of a customer knows its users, and of a profile its tenants. What a later
        // change wrote waits for that change, because the changes of users and tenants before it have not
        // been applied.
        if (rev != 0 && value->rev > rev) co_return result<void>();
    }
    if constexpr (std::is_same_v<Account, tenant_profile>) log_ignored(*value);
    if constexpr (std::is_same_v<Account, api_key>) {
        if (known) value->latest_use = known->latest_use;
    }
    const bool reverify = known ? must_reverify(*known, *value) : must_reverify_new(*value);
    install<Account>(std::make_shared<const Account>(std::move(*value)), reverify);
    co_return result<void>();
}

/// In a turn. refresh() of the account that a document is of; nothing for documents of other kinds.
task<result<void>> directory::refresh_document(std::string kind, std::string name, revision rev) {
    std::optional<task<result<void>>> work;
    with_type_of(kind, [&]<class Account>(std::type_identity<Account>) {
        using key_type = decltype(Account::id);
        if constexpr (std::is_same_v<key_type, std::string>) {
            work.emplace(refresh<Account>(name, name, rev));
        } else if (const auto id = parse_uuid(name)) {
            work.emplace(refresh<Account>(key_type{*id}, name, rev));
        }
    });
    if (!work) co_return result<void>();
    co_return co_await std::move(*work);
}

}  // namespace gallery::accounts
