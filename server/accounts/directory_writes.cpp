// Loading and writing; see directory.cpp for reading.
#include "accounts/directory.hpp"

#include "accounts/account_documents.hpp"

#include <type_traits>
#include <utility>

namespace gallery::accounts {
namespace {

constexpr std::size_t scan_size = 1000;
constexpr int write_attempts = 5;

/// Whether tokens and keys that were verified against @p before must be verified again.
bool takes_effect(const user& before, const user& after) {
    return before.enabled != after.enabled || before.deleted != after.deleted || before.role != after.role ||
           before.owner != after.owner || before.customer != after.customer || before.email != after.email ||
           before.first_name != after.first_name || before.last_name != after.last_name ||
           before.tokens_valid_after != after.tokens_valid_after;
}
bool takes_effect(const tenant& before, const tenant& after) {
    return before.deleting != after.deleting || before.deleted != after.deleted;
}
bool takes_effect(const api_key& before, const api_key& after) {
    return before.enabled != after.enabled || before.expiration_time != after.expiration_time ||
           before.hash != after.hash || before.holder != after.holder;
}
bool takes_effect(const customer&, const customer&) {
    return false;
}
bool takes_effect(const ended_session&, const ended_session&) {
    return true;
}
bool takes_effect(const spent_token&, const spent_token&) {
    return false;
}

/// The same for an account that was not there before. A user may so far have been let in by the claims of a
/// ThingsBoard server's token alone.
template <class Account>
constexpr bool appearing_takes_effect = std::is_same_v<Account, user> || std::is_same_v<Account, tenant> ||
                                        std::is_same_v<Account, ended_session>;

template <class Account>
constexpr bool vanishing_takes_effect = std::is_same_v<Account, user> || std::is_same_v<Account, api_key>;

error conflict() {
    return {errc::version_conflict,
            "The account was changed by somebody else in the meantime. Read it again"};
}

error not_found(std::string_view what, const std::string& id) {
    return {errc::not_found, std::string(what) + " with id [" + id + "] is not found"};
}

}  // namespace

template <class Account, class Key>
directory::pointer<Account> directory::find(const Key& key) const {
    const std::shared_lock lock(tables_mutex_);
    return tables_->find<Account>(key);
}

template <class Account>
void directory::install(pointer<Account> value, bool takes_rights) {
    {
        const std::unique_lock lock(tables_mutex_);
        tables_->put(std::move(value));
    }
    // Memory first, then the epoch: who sees the new epoch verifies against the new state.
    if (takes_rights) epoch_.bump();
}

/// The mutex is held. Precondition of the write: what is in memory is what is in the store.
template <class Account>
task<result<directory::pointer<Account>>> directory::write(Account value, bool takes_rights) {
    auto doc = to_document(value);
    const auto id = doc.id;
    const auto condition = value.rev == 0 ? precondition::absent() : precondition::match(value.rev);
    auto outcome = co_await store_.save(std::move(doc), condition);
    if (!outcome) co_return outcome.error();
    if (outcome->status != write_status::committed) {
        if constexpr (requires { value.id.value; }) {
            const auto key = value.id;
            auto read = co_await refresh<Account>(key, id, outcome->rev);
            if (!read) co_return read.error();
        } else {
            auto read = co_await refresh<Account>(id, id, outcome->rev);
            if (!read) co_return read.error();
        }
        co_return conflict();
    }
    value.rev = outcome->rev;
    auto stored = std::make_shared<const Account>(std::move(value));
    install<Account>(stored, takes_rights);
    co_return stored;
}

/// The mutex is held.
template <class Account>
task<result<void>> directory::erase(pointer<Account> value, bool takes_rights) {
    auto doc = to_document(*value);
    auto outcome = co_await store_.erase(std::move(doc.kind), std::move(doc.id), precondition::any());
    if (!outcome) co_return outcome.error();
    {
        const std::unique_lock lock(tables_mutex_);
        tables_->remove(*value);
    }
    if (takes_rights) epoch_.bump();
    co_return result<void>();
}

/// The mutex is held. Takes over what the store has under an id, if it is newer than what is known.
template <class Account, class Key>
task<result<void>> directory::refresh(Key key, std::string id, revision rev) {
    const auto known = find<Account>(key);
    if (known && known->rev >= rev && rev != 0) co_return result<void>();
    auto doc = co_await store_.find(std::string(document_of<Account>::kind), std::move(id));
    if (!doc) {
        if (doc.error().code != errc::not_found) co_return doc.error();
        if (known) {
            {
                const std::unique_lock lock(tables_mutex_);
                tables_->remove(*known);
            }
            if (vanishing_takes_effect<Account>) epoch_.bump();
        }
        co_return result<void>();
    }
    auto value = from_document<Account>(*doc);
    if (!value) co_return value.error();
    if constexpr (std::is_same_v<Account, api_key>) {
        if (known) value->latest_use = known->latest_use;
    }
    const bool takes_rights = known ? takes_effect(*known, *value) : appearing_takes_effect<Account>;
    install<Account>(std::make_shared<const Account>(std::move(*value)), takes_rights);
    co_return result<void>();
}

template <class Account>
task<result<void>> directory::load_kind(std::shared_ptr<account_tables> into) {
    std::string cursor;
    do {
        auto page =
            co_await store_.scan(std::string(document_of<Account>::kind), std::move(cursor), scan_size);
        if (!page) co_return page.error();
        for (const auto& doc : page->items) {
            auto value = from_document<Account>(doc);
            if (!value) co_return value.error();
            into->put(std::make_shared<const Account>(std::move(*value)));
        }
        cursor = std::move(page->cursor);
    } while (!cursor.empty());
    co_return result<void>();
}

task<result<void>> directory::load() {
    const auto held = co_await writing_.lock();
    auto fresh = std::make_shared<account_tables>();
    if (auto done = co_await load_kind<tenant>(fresh); !done) co_return done;
    if (auto done = co_await load_kind<customer>(fresh); !done) co_return done;
    if (auto done = co_await load_kind<user>(fresh); !done) co_return done;
    if (auto done = co_await load_kind<api_key>(fresh); !done) co_return done;
    if (auto done = co_await load_kind<ended_session>(fresh); !done) co_return done;
    if (auto done = co_await load_kind<spent_token>(fresh); !done) co_return done;
    {
        const std::unique_lock lock(tables_mutex_);
        tables_ = std::move(fresh);
    }
    epoch_.bump();
    co_return result<void>();
}

task<result<void>> directory::apply(change what) {
    if (what.what != change::kind::document_saved && what.what != change::kind::document_erased) {
        co_return result<void>();
    }
    const auto held = co_await writing_.lock();
    const auto id = parse_uuid(what.document_id);
    const auto& kind = what.document_kind;
    if (kind == document_of<ended_session>::kind) {
        co_return co_await refresh<ended_session>(what.document_id, what.document_id, what.rev);
    }
    if (kind == document_of<spent_token>::kind) {
        co_return co_await refresh<spent_token>(what.document_id, what.document_id, what.rev);
    }
    if (!id) co_return result<void>();
    if (kind == document_of<tenant>::kind) {
        const tenant_id key{*id};
        co_return co_await refresh<tenant>(key, what.document_id, what.rev);
    }
    if (kind == document_of<customer>::kind) {
        const customer_id key{*id};
        co_return co_await refresh<customer>(key, what.document_id, what.rev);
    }
    if (kind == document_of<user>::kind) {
        const user_id key{*id};
        co_return co_await refresh<user>(key, what.document_id, what.rev);
    }
    if (kind == document_of<api_key>::kind) {
        const api_key_id key{*id};
        co_return co_await refresh<api_key>(key, what.document_id, what.rev);
    }
    co_return result<void>();
}

namespace {

/// What every new account has.
template <class Account>
void begin(Account& value, std::int64_t now) {
    if (value.id.value.is_nil()) value.id.value = random_uuid();
    if (value.created_time == 0) value.created_time = now;
    value.rev = 0;
}

}  // namespace

task<result<tenant_ptr>> directory::create(tenant value) {
    const auto held = co_await writing_.lock();
    begin(value, now_());
    value.version = 1;
    if (const auto allowed = check(value); !allowed) co_return allowed.error();
    co_return co_await write<tenant>(std::move(value), false);
}

task<result<customer_ptr>> directory::create(customer value) {
    const auto held = co_await writing_.lock();
    begin(value, now_());
    value.version = 1;
    if (const auto allowed = check(value); !allowed) co_return allowed.error();
    co_return co_await write<customer>(std::move(value), false);
}

task<result<user_ptr>> directory::create(user value) {
    const auto held = co_await writing_.lock();
    begin(value, now_());
    value.version = 1;
    if (const auto allowed = check(value); !allowed) co_return allowed.error();
    co_return co_await write<user>(std::move(value), true);
}

task<result<api_key_ptr>> directory::create(api_key value) {
    const auto held = co_await writing_.lock();
    begin(value, now_());
    if (const auto allowed = check(value); !allowed) co_return allowed.error();
    co_return co_await write<api_key>(std::move(value), false);
}

template <class Account, class Key>
task<result<directory::pointer<Account>>> directory::edit_one(Key key, edit<Account> how,
                                                              std::string not_found_text) {
    const auto held = co_await writing_.lock();
    result<pointer<Account>> written = conflict();
    for (int attempt = 0; attempt < write_attempts; ++attempt) {
        const auto known = find<Account>(key);
        if (!known) co_return not_found(not_found_text, to_string(key));
        if constexpr (requires { known->deleted; }) {
            if (known->deleted) co_return not_found(not_found_text, to_string(key));
        }
        Account next = *known;
        if (const auto done = how(next); !done) co_return done.error();
        if (const auto allowed = check(next); !allowed) co_return allowed.error();
        if constexpr (requires { next.version; }) ++next.version;
        const bool takes_rights = takes_effect(*known, next);
        written = co_await write<Account>(std::move(next), takes_rights);
        if (written || written.error().code != errc::version_conflict) break;
    }
    co_return written;
}

task<result<tenant_ptr>> directory::change_tenant(tenant_id id, edit<tenant> how) {
    return edit_one<tenant>(id, std::move(how), "Tenant");
}
task<result<customer_ptr>> directory::change_customer(customer_id id, edit<customer> how) {
    return edit_one<customer>(id, std::move(how), "Customer");
}
task<result<user_ptr>> directory::change_user(user_id id, edit<user> how) {
    return edit_one<user>(id, std::move(how), "User");
}
task<result<api_key_ptr>> directory::change_api_key(api_key_id id, edit<api_key> how) {
    return edit_one<api_key>(id, std::move(how), "API key");
}

/// The mutex is held. The tombstone comes first: from then on neither tokens nor keys of the user are good,
/// whatever happens to the rest.
task<result<void>> directory::delete_user_locked(user_ptr account) {
    user tombstone;
    tombstone.id = account->id;
    tombstone.owner = account->owner;
    tombstone.role = account->role;
    tombstone.created_time = account->created_time;
    tombstone.enabled = false;
    tombstone.deleted = true;
    tombstone.forget_after = now_() + options_.longest_token_ms;
    tombstone.rev = account->rev;
    auto written = co_await write<user>(std::move(tombstone), true);
    if (!written) co_return written.error();
    for (const auto& key : api_keys_of(account->id)) {
        if (auto done = co_await erase<api_key>(key, true); !done) co_return done;
    }
    co_return result<void>();
}

task<result<void>> directory::delete_user(user_id id) {
    const auto held = co_await writing_.lock();
    auto account = find_user(id);
    if (!account) co_return not_found("User", to_string(id));
    auto done = co_await delete_user_locked(std::move(account));
    co_return done;
}

task<result<void>> directory::delete_customer(customer_id id) {
    const auto held = co_await writing_.lock();
    auto known = find_customer(id);
    if (!known) co_return not_found("Customer", to_string(id));
    for (const auto& account : users_of(id)) {
        if (auto done = co_await delete_user_locked(account); !done) co_return done;
    }
    co_return co_await erase<customer>(std::move(known), false);
}

task<result<void>> directory::delete_api_key(api_key_id id) {
    const auto held = co_await writing_.lock();
    auto known = find_api_key(id);
    if (!known) co_return not_found("API key", to_string(id));
    co_return co_await erase<api_key>(std::move(known), true);
}

task<result<void>> directory::delete_tenant(tenant_id id, tenant_images_eraser erase_images) {
    edit<tenant> shut = [](tenant& value) -> result<void> {
        value.deleting = true;
        return {};
    };
    auto closed = co_await change_tenant(id, std::move(shut));
    if (!closed) co_return closed.error();
    // Without the mutex: there may be very many of them.
    if (auto done = co_await erase_images(id); !done) co_return done;
    for (const auto& account : users_of(id)) {
        auto done = co_await delete_user(account->id);
        if (!done && done.error().code != errc::not_found) co_return done;
    }
    for (const auto& belongs_to : customers_of(id)) {
        auto done = co_await delete_customer(belongs_to->id);
        if (!done && done.error().code != errc::not_found) co_return done;
    }
    // Again, for uploads that were under way when the tenant was shut. What is stored later still, the
    // gallery erases itself: it looks after each new image whether the tenant is shut, and that came before
    // this.
    if (auto done = co_await erase_images(id); !done) co_return done;
    edit<tenant> bury = [](tenant& value) -> result<void> {
        tenant tombstone;
        tombstone.id = value.id;
        tombstone.created_time = value.created_time;
        tombstone.rev = value.rev;
        tombstone.deleted = true;
        value = std::move(tombstone);
        return {};
    };
    auto buried = co_await change_tenant(id, std::move(bury));
    // Not found: somebody else ended the same deletion.
    if (!buried && buried.error().code != errc::not_found) co_return buried.error();
    co_return result<void>();
}

task<result<void>> directory::end_session(std::string session) {
    const auto held = co_await writing_.lock();
    ended_session ended;
    ended.id = name_digest(session);
    ended.forget_after = now_() + options_.longest_token_ms;
    if (const auto known = find<ended_session>(ended.id)) co_return result<void>();
    auto written = co_await write<ended_session>(std::move(ended), true);
    // Another process ended it, too: what was wanted holds.
    if (!written && written.error().code != errc::version_conflict) co_return written.error();
    co_return result<void>();
}

task<result<directory::spending>> directory::spend_token(std::string token_id, std::int64_t expires_at,
                                                         std::int64_t grace) {
    const auto held = co_await writing_.lock();
    const auto now = now_();
    spent_token spent;
    spent.id = name_digest(token_id);
    spent.spent_at = now;
    spent.forget_after = expires_at;
    const auto id = spent.id;
    if (!find<spent_token>(id)) {
        auto written = co_await write<spent_token>(std::move(spent), false);
        if (written) co_return spending::first;
        if (written.error().code != errc::version_conflict) co_return written.error();
    }
    const auto known = find<spent_token>(id);
    if (!known) co_return conflict();
    co_return known->spent_at + grace >= now ? spending::again : spending::reused;
}

task<result<void>> directory::maintain() {
    const auto now = now_();
    std::vector<api_key_ptr> used;
    std::vector<api_key_ptr> orphans;
    std::vector<user_ptr> tombstones;
    std::vector<std::shared_ptr<const ended_session>> sessions;
    std::vector<std::shared_ptr<const spent_token>> tokens;
    {
        const std::shared_lock lock(tables_mutex_);
        for (const auto& [id, key] : tables_->of<api_key>()) {
            const auto holder = tables_->find<user>(key->holder);
            if (!holder || holder->deleted) {
                orphans.push_back(key);  // a crash came between the deletion of a user and of the keys
            } else if (key->latest_use->load(std::memory_order_relaxed) >= key->last_used + 60'000) {
                used.push_back(key);
            }
        }
        for (const auto& [id, account] : tables_->of<user>()) {
            if (account->deleted && account->forget_after <= now && !options_.keep_tombstones) {
                tombstones.push_back(account);
            }
        }
        for (const auto& [id, ended] : tables_->of<ended_session>()) {
            if (ended->forget_after <= now) sessions.push_back(ended);
        }
        for (const auto& [id, spent] : tables_->of<spent_token>()) {
            if (spent->forget_after <= now) tokens.push_back(spent);
        }
    }
    for (const auto& key : used) {
        edit<api_key> note = [](api_key& value) -> result<void> {
            value.last_used = value.latest_use->load(std::memory_order_relaxed);
            return {};
        };
        auto done = co_await change_api_key(key->id, std::move(note));
        if (!done && done.error().code != errc::not_found) co_return done.error();
    }
    // One lock each: requests that write must not wait for the whole of this.
    for (const auto& key : orphans) {
        const auto held = co_await writing_.lock();
        if (auto done = co_await erase<api_key>(key, true); !done) co_return done;
    }
    for (const auto& account : tombstones) {
        const auto held = co_await writing_.lock();
        if (auto done = co_await erase<user>(account, true); !done) co_return done;
    }
    for (const auto& ended : sessions) {
        const auto held = co_await writing_.lock();
        if (auto done = co_await erase<ended_session>(ended, false); !done) co_return done;
    }
    for (const auto& spent : tokens) {
        const auto held = co_await writing_.lock();
        if (auto done = co_await erase<spent_token>(spent, false); !done) co_return done;
    }
    co_return result<void>();
}

}  // namespace gallery::accounts
