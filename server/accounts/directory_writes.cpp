// SPDX-License-Identifier: Apache-2.0
// Loading and writing; see directory.cpp for reading.
#include "accounts/directory.hpp"

#include "accounts/account_documents.hpp"

#include <algorithm>
#include <type_traits>
#include <unordered_set>
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
bool takes_effect(const claim&, const claim&) {
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

/// The parts of an atomic write that come with an account: the claim of its name, the release of the name
/// that it had, and the accounts that it refers to, which must be what is known of them.
template <class Account>
void directory::add_dependent_parts(std::vector<document_write>& parts, const Account& value) const {
    const std::shared_lock lock(tables_mutex_);
    if constexpr (requires { claim_of(value); }) {
        const auto before = tables_->find<Account>(value.id);
        add_claims(parts, before ? claim_of(*before) : std::nullopt, claim_of(value));
    }
    if constexpr (requires { value.deleted; }) {
        if (value.deleted) return;
    }
    const auto require = [&](const auto& referred_to) {
        if (!referred_to) return;  // check() refuses a reference to nothing
        const auto doc = to_document(*referred_to);
        parts.push_back(document_write::require(doc.kind, doc.id, precondition::match(referred_to->rev)));
    };
    if constexpr (std::is_same_v<Account, user>) {
        if (value.owner != system_tenant) require(tables_->find<tenant>(value.owner));
        if (value.customer) require(tables_->find<customer>(*value.customer));
    } else if constexpr (std::is_same_v<Account, customer>) {
        require(tables_->find<tenant>(value.owner));
    } else if constexpr (std::is_same_v<Account, api_key>) {
        require(tables_->find<user>(value.holder));
    }
}

/// A lock on the tables is held.
template <class Claim>
void directory::add_claims(std::vector<document_write>& parts, const std::optional<Claim>& before,
                           const std::optional<Claim>& after) const {
    if (after && !tables_->find<Claim>(after->id)) {
        parts.push_back(document_write::save(to_document(*after), precondition::absent()));
    }
    if (!before || (after && after->id == before->id)) return;
    const auto held = tables_->find<Claim>(before->id);
    if (!held || held->holder != before->holder) return;
    parts.push_back(document_write::erase(std::string(document_of<Claim>::kind), held->id,
                                          precondition::match(held->rev)));
}

/// Takes over the claims among the parts of a committed write.
void directory::install_claims(const std::vector<document_write>& parts, const std::vector<revision>& revs) {
    const std::unique_lock lock(tables_mutex_);
    const auto take = [&]<class Claim>(const document_write& part, revision rev, std::type_identity<Claim>) {
        if (part.doc.kind != document_of<Claim>::kind) return;
        if (part.what == document_write::action::erase) {
            if (const auto known = tables_->find<Claim>(part.doc.id)) tables_->remove(*known);
        } else if (auto value = from_document<Claim>(part.doc)) {
            value->rev = rev;
            tables_->put(std::make_shared<const Claim>(std::move(*value)));
        }
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
        take(parts[i], revs[i], std::type_identity<email_claim>());
        take(parts[i], revs[i], std::type_identity<title_claim>());
    }
}

/// The mutex is held. Writes the parts and takes over the claims among them. Error: version_conflict where a
/// part did not hold; what the store has in its place is known then.
task<result<std::vector<revision>>> directory::commit(std::vector<document_write> parts) {
    auto outcome = co_await store_.write(parts);
    if (!outcome) co_return outcome.error();
    if (outcome->status == write_status::committed) {
        install_claims(parts, outcome->revs);
        co_return std::move(outcome->revs);
    }
    auto& failed = parts[outcome->failed].doc;
    auto read = co_await refresh_document(std::move(failed.kind), std::move(failed.id), outcome->current);
    if (!read) co_return read.error();
    co_return conflict();
}

/// The mutex is held. Precondition of the write: what is in memory is what is in the store.
template <class Account>
task<result<directory::pointer<Account>>> directory::write(Account value, bool takes_rights) {
    std::vector<document_write> parts;
    const auto condition = value.rev == 0 ? precondition::absent() : precondition::match(value.rev);
    parts.push_back(document_write::save(to_document(value), condition));
    add_dependent_parts(parts, value);
    auto revs = co_await commit(std::move(parts));
    if (!revs) co_return revs.error();
    value.rev = revs->front();
    auto stored = std::make_shared<const Account>(std::move(value));
    install<Account>(stored, takes_rights);
    co_return stored;
}

/// The mutex is held.
template <class Account>
task<result<void>> directory::erase(pointer<Account> value, bool takes_rights) {
    result<std::vector<revision>> erased = conflict();
    for (int attempt = 0; attempt < write_attempts; ++attempt) {
        std::vector<document_write> parts;
        auto doc = to_document(*value);
        parts.push_back(document_write::erase(std::move(doc.kind), std::move(doc.id), precondition::any()));
        if constexpr (requires { claim_of(*value); }) {
            const std::shared_lock lock(tables_mutex_);
            add_claims(parts, claim_of(*value), decltype(claim_of(*value))());
        }
        erased = co_await commit(std::move(parts));
        if (erased || erased.error().code != errc::version_conflict) break;
        // Another process may have erased it: the conflict has read it again.
        if (!find<Account>(value->id)) break;
    }
    if (!erased && erased.error().code != errc::version_conflict) co_return erased.error();
    if (!erased && find<Account>(value->id)) co_return erased.error();
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
    if (auto done = co_await load_kind<email_claim>(fresh); !done) co_return done;
    if (auto done = co_await load_kind<title_claim>(fresh); !done) co_return done;
    {
        const std::unique_lock lock(tables_mutex_);
        tables_ = std::move(fresh);
    }
    epoch_.bump();
    co_return co_await claim_names();
}

/// The mutex is held. Claims the names of accounts that were stored by a version without claims. Where the
/// store takes no writes they stay unclaimed: the accounts in memory still keep each name unique.
task<result<void>> directory::claim_names() {
    std::vector<document_write> missing;
    {
        const std::shared_lock lock(tables_mutex_);
        std::unordered_set<std::string> seen;
        const auto add = [&](const auto& claimed) {
            using claim_type = typename std::decay_t<decltype(claimed)>::value_type;
            if (!claimed || tables_->find<claim_type>(claimed->id) || !seen.insert(claimed->id).second)
                return;
            missing.push_back(document_write::save(to_document(*claimed), precondition::absent()));
        };
        for (const auto& [id, value] : tables_->of<user>())
            add(claim_of(*value));
        for (const auto& [id, value] : tables_->of<customer>())
            add(claim_of(*value));
    }
    while (!missing.empty()) {
        const auto count = std::min(missing.size(), document_store::max_parts);
        std::vector<document_write> group(missing.end() - static_cast<std::ptrdiff_t>(count), missing.end());
        auto done = co_await commit(group);
        if (done) {
            missing.resize(missing.size() - count);
        } else if (done.error().code == errc::version_conflict) {
            // Another server claims names at the same moment; what it claimed is known now.
            const std::shared_lock lock(tables_mutex_);
            std::erase_if(missing, [&](const document_write& part) {
                return tables_->find<email_claim>(part.doc.id) || tables_->find<title_claim>(part.doc.id);
            });
        } else if (done.error().code == errc::no_space || done.error().code == errc::read_only) {
            break;
        } else {
            co_return done.error();
        }
    }
    co_return result<void>();
}

task<result<void>> directory::apply(change what) {
    if (what.what != change::kind::document_saved && what.what != change::kind::document_erased) {
        co_return result<void>();
    }
    const auto held = co_await writing_.lock();
    co_return co_await refresh_document(std::move(what.document_kind), std::move(what.document_id), what.rev);
}

/// The mutex is held. refresh() of the account that a document is of; nothing for documents of other kinds.
task<result<void>> directory::refresh_document(std::string kind, std::string name, revision rev) {
    if (kind == document_of<ended_session>::kind) co_return co_await refresh<ended_session>(name, name, rev);
    if (kind == document_of<spent_token>::kind) co_return co_await refresh<spent_token>(name, name, rev);
    if (kind == document_of<email_claim>::kind) co_return co_await refresh<email_claim>(name, name, rev);
    if (kind == document_of<title_claim>::kind) co_return co_await refresh<title_claim>(name, name, rev);
    const auto id = parse_uuid(name);
    if (!id) co_return result<void>();
    if (kind == document_of<tenant>::kind) {
        const tenant_id key{*id};
        co_return co_await refresh<tenant>(key, name, rev);
    }
    if (kind == document_of<customer>::kind) {
        const customer_id key{*id};
        co_return co_await refresh<customer>(key, name, rev);
    }
    if (kind == document_of<user>::kind) {
        const user_id key{*id};
        co_return co_await refresh<user>(key, name, rev);
    }
    if (kind == document_of<api_key>::kind) {
        const api_key_id key{*id};
        co_return co_await refresh<api_key>(key, name, rev);
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

template <class Account>
task<result<directory::pointer<Account>>> directory::create_one(Account value, bool takes_rights) {
    const auto held = co_await writing_.lock();
    begin(value, now_());
    if constexpr (requires { value.version; }) value.version = 1;
    result<pointer<Account>> written = conflict();
    for (int attempt = 0; attempt < write_attempts; ++attempt) {
        if (const auto allowed = check(value); !allowed) co_return allowed.error();
        written = co_await write<Account>(value, takes_rights);
        if (written || written.error().code != errc::version_conflict) break;
        if (find<Account>(value.id)) break;  // the id is taken
    }
    co_return written;
}

task<result<tenant_ptr>> directory::create(tenant value) {
    return create_one<tenant>(std::move(value), false);
}
task<result<customer_ptr>> directory::create(customer value) {
    return create_one<customer>(std::move(value), false);
}
task<result<user_ptr>> directory::create(user value) {
    return create_one<user>(std::move(value), true);
}
task<result<api_key_ptr>> directory::create(api_key value) {
    return create_one<api_key>(std::move(value), false);
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
    // Last: on a full disk what was erased above makes room for it.
    for (const auto& key : used) {
        edit<api_key> note = [](api_key& value) -> result<void> {
            value.last_used = value.latest_use->load(std::memory_order_relaxed);
            return {};
        };
        auto done = co_await change_api_key(key->id, std::move(note));
        if (!done && done.error().code != errc::not_found) co_return done.error();
    }
    co_return result<void>();
}

}  // namespace gallery::accounts
