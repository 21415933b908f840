// SPDX-License-Identifier: Apache-2.0
/// The accounts of the server: tenants and their profiles, customers, users, API keys, ended sessions.
///
/// All of them are in memory, so rights are decided without the store. The store decides about writes: each
/// write states the revisions and absences that it relies on, of the account itself, of its unique name and
/// of the accounts that it refers to. If one of them does not hold, another process was faster; memory
/// catches up and the write is tried again. Writes of one process are made one after the other, to the
/// store first and then to memory; the tenants take turns, and a tenant with too many writes waiting is
/// refused another one. A change that revokes rights is in effect when its coroutine returns:
/// memory is replaced and the revocation epoch raised before that, so the caches of verified tokens verify
/// again.
///
/// Invariant, on which deletions rely: what is in memory is the state after some prefix of the feed, with the
/// writes of this process on top. A user is created or moved together with a new revision of the customer, so
/// that a server with a customer's current revision in memory has all users of it. The same holds for a
/// tenant and its profile, unless that is the default one, which cannot be deleted.
///
/// Threads: readers on any thread at any time; they take a shared lock for a look-up. Writers are coroutines
/// on I/O threads. Everything handed out is immutable and may be kept.
/// Errors of all writers, besides those named: already_exists and invalid_argument where a rule about
/// references or uniqueness would be broken, version_conflict where other processes write the same account
/// again and again, unavailable where memory cannot catch up, too_many_requests and busy where too many
/// writes are waiting, and what the store reports.
#pragma once

#include "accounts/account_tables.hpp"
#include "accounts/accounts.hpp"
#include "accounts/tenant_limits.hpp"
#include "cache/freshness.hpp"
#include "cache/token_cache.hpp"
#include "turns/fair_turns.hpp"

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>
#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::accounts {

struct directory_options {
    /// The longest lifetime of a token; tombstones and ended sessions are kept for that long.
    std::int64_t longest_token_ms = 604'800'000;
    /// Keep tombstones of deleted users permanently. For a signing key that is shared with a ThingsBoard
    /// server, which may issue further tokens for a user who was deleted here.
    bool keep_tombstones = false;
    /// As authenticator_options::foreign_users. Otherwise no token of a user or tenant that is not known here
    /// was ever accepted, so that new ones need not be verified again.
    bool foreign_users = false;
    /// Called with a warning for each limit of a profile that was read from the store and does not apply.
    std::function<void(std::string_view)> log = [](std::string_view) {};
    /// Whether what is in memory may be answered. Outlives the directory.
    const cache::freshness* fresh = &cache::always_fresh;
};

/// Erases all images of a tenant; may be repeated. Provided by the gallery.
using tenant_images_eraser = std::function<task<result<void>>(tenant_id)>;

class directory {
public:
    /// @p store outlives the directory.
    explicit directory(document_store& store, directory_options options = {});
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;

    /// Makes memory contain every write that any process had been told to be committed before the call.
    using reader_of_changes = std::function<task<result<void>>()>;
    /// For a store that several processes share; set before the first use, and never after. Without it, and
    /// while @p others_write returns false, the store is read as a whole where another process was faster. An
    /// empty @p others_write is always true.
    void follow_with(reader_of_changes catch_up, std::function<bool()> others_write = {}) {
        catch_up_ = std::move(catch_up);
        others_write_ = std::move(others_write);
    }

    /// To be awaited before something is decided that another process may have changed a moment ago: a login,
    /// a refreshed token. Writers of this class do so themselves. Returns at once where the store is not
    /// shared. Error: unavailable.
    task<result<void>> catch_up();

    /// Error: unavailable where memory is older than permitted, so that permissions cannot be decided.
    /// To be asked before anything is decided by what is in memory.
    [[nodiscard]] result<void> require_fresh() const;
    /// The same for where each nanosecond counts.
    [[nodiscard]] bool is_fresh() const noexcept { return options_.fresh->holds(); }

    /// Reads every account. Await it before anything else, and again after a gap in the change feed. Error:
    /// corrupt for an account that cannot be read, because a refused user must not be accepted again.
    task<result<void>> load();

    /// Applies one change of the store's feed, of this process (no effect) or of another one. Changes of
    /// images are ignored. Waits for one write of this process at most, however many are waiting.
    task<result<void>> apply(change what);

    /// Raised with every change that affects verified tokens.
    [[nodiscard]] const cache::revocation_epoch& epoch() const noexcept { return epoch_; }

    // ---- reading: null or empty where there is none; tombstones are not found ------------------------

    [[nodiscard]] tenant_profile_ptr find_profile(tenant_profile_id id) const;
    [[nodiscard]] tenant_profile_ptr default_profile() const;
    [[nodiscard]] tenant_profile_ptr profile_of(const tenant& value) const;
    [[nodiscard]] std::vector<tenant_profile_ptr> profiles() const;
    [[nodiscard]] tenant_ptr find_tenant(tenant_id id) const;
    [[nodiscard]] customer_ptr find_customer(customer_id id) const;
    [[nodiscard]] user_ptr find_user(user_id id) const;
    [[nodiscard]] user_ptr find_user_by_email(std::string_view email) const;  ///< without regard to case
    [[nodiscard]] api_key_ptr find_api_key(api_key_id id) const;
    [[nodiscard]] std::vector<tenant_ptr> tenants() const;
    [[nodiscard]] std::vector<customer_ptr> customers_of(tenant_id owner) const;
    [[nodiscard]] std::vector<user_ptr> users_of(tenant_id owner) const;
    [[nodiscard]] std::vector<user_ptr> users_of(customer_id owner) const;
    [[nodiscard]] std::vector<user_ptr> users_with(auth::authority role) const;
    [[nodiscard]] std::vector<api_key_ptr> api_keys_of(user_id holder) const;
    /// Tenants with an incomplete deletion, after a crash or an error; delete_tenant() completes it.
    [[nodiscard]] std::vector<tenant_id> unfinished_deletions() const;
    /// Deleted tenants that may still have images; see note_no_images().
    [[nodiscard]] std::vector<tenant_id> deleted_tenants_to_check() const;
    /// Deleted or being deleted. False for an unknown tenant.
    [[nodiscard]] bool is_tenant_deleted(tenant_id id) const;

    /// The limits of the tenant's profile, or of the default profile for a tenant without one, also for one
    /// that is not known here. Null if there are none, and for the system tenant. A changed profile or tenant
    /// has an effect on the next call. Takes a shared lock and copies a pointer; no I/O.
    [[nodiscard]] tenant_limits_ptr limits_of(const tenant_id& id) const;

    /// The data that decides about a token, read under one lock.
    struct account_status {
        user_ptr account;             ///< null if the user is unknown
        bool user_deleted = false;    ///< there is a tombstone
        bool tenant_deleted = false;  ///< deleted or being deleted
        bool session_ended = false;
    };
    [[nodiscard]] account_status account_status_of(user_id user, tenant_id tenant,
                                                   std::string_view session) const;

    struct key_status {
        api_key_ptr key;   ///< null if no key has this hash
        user_ptr account;  ///< null if the holder no longer exists
        bool tenant_deleted = false;
    };
    [[nodiscard]] key_status key_status_of(const sha256_digest& hash) const;

    // ---- writing -------------------------------------------------------------------------------------

    /// What else must hold of the store for an account to be created, as parts with the action `require`.
    using requirements = std::vector<document_write>;

    /// Missing ids, times and versions of new accounts are set here. Further error: version_conflict if the
    /// id is taken or a requirement does not hold.
    task<result<tenant_profile_ptr>> create(tenant_profile value, requirements also = {});
    task<result<tenant_ptr>> create(tenant value, requirements also = {});
    task<result<customer_ptr>> create(customer value, requirements also = {});
    task<result<user_ptr>> create(user value, requirements also = {});
    task<result<api_key_ptr>> create(api_key value);

    /// Reads the account, calls @p edit to change it (or refuse with an error), and writes it. Repeated if
    /// another process wrote in between, so edit may run more than once. Error: not_found.
    template <class Account>
    using edit = std::function<result<void>(Account&)>;
    task<result<tenant_profile_ptr>> change_profile(tenant_profile_id id, edit<tenant_profile> how);
    task<result<tenant_ptr>> change_tenant(tenant_id id, edit<tenant> how);
    task<result<customer_ptr>> change_customer(customer_id id, edit<customer> how);
    task<result<user_ptr>> change_user(user_id id, edit<user> how);
    task<result<api_key_ptr>> change_api_key(api_key_id id, edit<api_key> how);

    /// The default profile, which is created, without limits, if there is none.
    task<result<tenant_profile_ptr>> ensure_default_profile(requirements also = {});
    /// Makes it the default one in place of the current one. Error: not_found.
    task<result<tenant_profile_ptr>> make_default(tenant_profile_id id);
    /// Errors: not_found; invalid_argument for the default profile, and for one that tenants have.
    task<result<void>> delete_profile(tenant_profile_id id);

    /// With its keys; a tombstone stays. Error: not_found.
    task<result<void>> delete_user(user_id id);
    /// With its users, also those that other processes are creating. Error: not_found.
    task<result<void>> delete_customer(customer_id id);
    /// Error: not_found.
    task<result<void>> delete_api_key(api_key_id id);
    /// Refuses the tenant's users, then erases images, keys, users and customers, then leaves a tombstone.
    /// After a crash or an error the users stay refused, and the call may be repeated.
    task<result<void>> delete_tenant(tenant_id id, tenant_images_eraser erase_images);

    /// How long after a deletion an image of the tenant can appear: a request that was authorised before, on
    /// a server that had not read the deletion yet, stores its upload, and a crash prevents that server
    /// from erasing it.
    static constexpr std::int64_t late_upload_ms = 24LL * 3600 * 1000;
    /// To be called when a deleted tenant was found to have no images. Marks the tombstone, so that the
    /// tenant is no longer in deleted_tenants_to_check(). No effect within late_upload_ms of the deletion,
    /// and for other tenants. Several servers may call it.
    task<result<void>> note_no_images(tenant_id id);

    /// Refuses the session's tokens from now on. Ending it again has no effect. @p of: the user's tenant.
    task<result<void>> end_session(std::string session, tenant_id of);

    enum class spending : std::uint8_t {
        first,   ///< this use spent it
        again,   ///< it was spent shortly before (see spend_token)
        reused,  ///< it was spent earlier
    };
    /// Marks a refresh token as used. A second use within @p grace counts as `again`: two tabs of one
    /// browser, or a client that repeats a request after a lost response. @p of: the user's tenant.
    task<result<spending>> spend_token(std::string token_id, std::int64_t expires_at, std::int64_t grace,
                                       tenant_id of);

    /// Records when API keys were last used in this process. To be awaited about once a minute.
    task<result<void>> record_uses();
    /// Erases what has expired and what a crash left: API keys without a user, claims without an account. For
    /// one process of a store at a time; more do no harm.
    task<result<void>> forget_expired();

    /// The time used by all of the above, in milliseconds. For tests.
    void set_clock(std::function<std::int64_t()> now) { now_ = std::move(now); }
    [[nodiscard]] std::int64_t now() const { return now_(); }

private:
    template <class Account>
    using pointer = std::shared_ptr<const Account>;

    template <class Account, class Key>
    [[nodiscard]] pointer<Account> find(const Key& key) const;

    // directory_following.cpp
    /// Whether tokens that were accepted while @p value was not known must be verified again.
    template <class Account>
    [[nodiscard]] bool must_reverify_new(const Account& /*value*/) const {
        return false;
    }
    [[nodiscard]] bool must_reverify_new(const tenant_profile& value) const;
    [[nodiscard]] bool must_reverify_new(const tenant& value) const;
    [[nodiscard]] bool must_reverify_new(const user& value) const;
    [[nodiscard]] bool must_reverify_new(const ended_session& /*value*/) const { return true; }
    [[nodiscard]] bool is_followed() const;
    task<result<void>> before_attempt(int attempt);
    [[nodiscard]] bool is_applied(const change& what) const;
    template <class Account>
    void install(pointer<Account> value, bool reverify);
    template <class Account>
    void forget(const Account& value, bool reverify);
    void log_ignored(const tenant_profile& value) const;
    template <class Account>
    task<result<void>> load_type(account_tables* into);
    template <class Account, class Key>
    task<result<void>> refresh(Key key, std::string id, revision rev);
    task<result<void>> refresh_document(std::string kind, std::string name, revision rev);

    // directory_claims.cpp
    template <class Account>
    void add_claims(std::vector<document_write>& parts, const Account* before, const Account* after) const;
    [[nodiscard]] std::vector<document_write> missing_claims() const;
    [[nodiscard]] std::vector<std::vector<document_write>> orphaned_claims() const;
    task<result<void>> claim_names();

    // directory_writes.cpp
    template <class Account>
    void add_references(std::vector<document_write>& parts, const Account* before,
                        const Account& after) const;
    task<result<std::vector<revision>>> commit(std::vector<document_write> parts);
    template <class Account>
    task<result<pointer<Account>>> write(Account value, requirements also, bool reverify);
    template <class Account>
    task<result<pointer<Account>>> create_one(Account value, requirements also, bool reverify);
    template <class Account, class Key>
    task<result<pointer<Account>>> edit_one(Key key, edit<Account> how);
    template <class Account, class Key>
    task<result<void>> erase_one(Key key, bool reverify);

    // directory_rules.cpp
    [[nodiscard]] result<void> check(const tenant_profile& value) const;
    [[nodiscard]] result<void> check(const tenant& value) const;
    [[nodiscard]] result<void> check(const customer& value) const;
    [[nodiscard]] result<void> check(const user& value) const;
    [[nodiscard]] result<void> check(const api_key& value) const;
    template <class Account>
    [[nodiscard]] result<void> may_erase(const Account& /*value*/) const {
        return {};
    }
    [[nodiscard]] result<void> may_erase(const customer& value) const;
    [[nodiscard]] result<void> may_erase(const tenant_profile& value) const;

    document_store& store_;
    const directory_options options_;
    std::function<std::int64_t()> now_;
    reader_of_changes catch_up_;          ///< empty: the store belongs to this process
    std::function<bool()> others_write_;  ///< empty: always, if there is catch_up_
    /// Taken to change memory or to write to the store, one at a time and by tenant. The reader of the feed
    /// takes precedence: until the feed has been read, no request is answered.
    fair_turns<tenant_id> writing_;
    mutable shared_mutex tables_mutex_;
    std::unique_ptr<account_tables> tables_ GALLERY_GUARDED_BY(tables_mutex_)
        GALLERY_PT_GUARDED_BY(tables_mutex_);
    cache::revocation_epoch epoch_;
};

}  // namespace gallery::accounts
