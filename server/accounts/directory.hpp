// SPDX-License-Identifier: Apache-2.0
/// The accounts of the server: tenants, customers, users, API keys, ended sessions.
///
/// All of them are in memory, so that who may do what is answered without the store. A write goes to the
/// store first, with the revision that was read as its precondition, then to memory; writes are made one
/// after the other. A change that takes rights away is in force when its coroutine returns: memory is
/// replaced and the revocation epoch bumped before that, so that the caches of verified tokens verify anew.
///
/// Threads: readers on any thread at any time; they take a shared lock for a look-up. Writers are coroutines
/// on I/O threads. Everything handed out is immutable and may be kept.
/// Errors of all writers, besides those named: already_exists and invalid_argument where a rule about
/// references or uniqueness would be broken, version_conflict where another process writes the same account
/// again and again, and what the store reports.
#pragma once

#include "accounts/account_tables.hpp"
#include "accounts/accounts.hpp"
#include "auth/async_mutex.hpp"
#include "cache/token_cache.hpp"

#include <gallery/error.hpp>
#include <gallery/storage.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::accounts {

struct directory_options {
    /// How long any token lives at most; tombstones and ended sessions are kept for that long.
    std::int64_t longest_token_ms = 604'800'000;
    /// Keep tombstones of deleted users for ever. For a signing key that is shared with a ThingsBoard server:
    /// it may go on issuing tokens for a user who was deleted here.
    bool keep_tombstones = false;
};

/// Erases all images of a tenant; repeating it is harmless. Given by the gallery.
using tenant_images_eraser = std::function<task<result<void>>(tenant_id)>;

class directory {
public:
    /// @p store outlives the directory.
    explicit directory(document_store& store, directory_options options = {});
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;

    /// Reads every account; to be awaited before anything else, and again after a gap in the change feed.
    /// Error: corrupt for an account that cannot be read, because who was shut out must not get in again.
    task<result<void>> load();

    /// Takes over one change of the store's feed, made by this process (nothing happens) or by another.
    /// Changes of images are ignored.
    task<result<void>> apply(change what);

    /// Bumped with every change that takes effect on verified tokens.
    [[nodiscard]] const cache::revocation_epoch& epoch() const noexcept { return epoch_; }

    // ---- reading: null or empty where there is none; tombstones are not found ------------------------

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
    /// Tenants whose deletion was begun and not ended, by a crash or an error: delete_tenant() ends it.
    [[nodiscard]] std::vector<tenant_id> unfinished_deletions() const;
    /// Tenants that were deleted; their tombstones stay for ever.
    [[nodiscard]] std::vector<tenant_id> deleted_tenants() const;
    /// Deleted or being deleted. False for one that was never known.
    [[nodiscard]] bool tenant_gone(tenant_id id) const;

    /// What is decided with every token, under one lock.
    struct standing {
        user_ptr account;           ///< null where the user is not known
        bool user_deleted = false;  ///< known to have been deleted
        bool tenant_gone = false;   ///< deleted or being deleted
        bool session_ended = false;
    };
    [[nodiscard]] standing standing_of(user_id user, tenant_id tenant, std::string_view session) const;

    struct key_standing {
        api_key_ptr key;   ///< null where no key has this hash
        user_ptr account;  ///< null where the holder is not known any more
        bool tenant_gone = false;
    };
    [[nodiscard]] key_standing key_standing_of(const sha256_digest& hash) const;

    // ---- writing -------------------------------------------------------------------------------------

    /// Ids, times and versions of new accounts are set here where they are not set already.
    task<result<tenant_ptr>> create(tenant value);
    task<result<customer_ptr>> create(customer value);
    task<result<user_ptr>> create(user value);
    task<result<api_key_ptr>> create(api_key value);

    /// Reads, lets @p edit change it (or refuse with an error), writes; repeated where another process came
    /// in between, so that edit may run more than once. Error: not_found.
    template <class Account>
    using edit = std::function<result<void>(Account&)>;
    task<result<tenant_ptr>> change_tenant(tenant_id id, edit<tenant> how);
    task<result<customer_ptr>> change_customer(customer_id id, edit<customer> how);
    task<result<user_ptr>> change_user(user_id id, edit<user> how);
    task<result<api_key_ptr>> change_api_key(api_key_id id, edit<api_key> how);

    /// With its keys; a tombstone stays. Error: not_found.
    task<result<void>> delete_user(user_id id);
    /// With its users. Error: not_found.
    task<result<void>> delete_customer(customer_id id);
    task<result<void>> delete_api_key(api_key_id id);
    /// Shuts the tenant's users out, then erases images, keys, users and customers, then leaves a tombstone.
    /// After a crash or an error in the middle the tenant stays shut out and the call may be repeated.
    task<result<void>> delete_tenant(tenant_id id, tenant_images_eraser erase_images);

    /// Refuses the session's tokens from now on. Ending it again changes nothing.
    task<result<void>> end_session(std::string session);

    enum class spending : std::uint8_t {
        first,   ///< this use spent it
        again,   ///< it was spent a moment ago (see spend_token)
        reused,  ///< it was spent before that
    };
    /// Spends a refresh token for good. Within @p grace of the first use it counts as `again`: two tabs of
    /// one browser, or a client that repeats a request whose answer got lost.
    task<result<spending>> spend_token(std::string token_id, std::int64_t expires_at, std::int64_t grace);

    /// To be awaited about once a minute: records when API keys were last used and forgets what has expired.
    task<result<void>> maintain();

    /// The time used by all of the above, in milliseconds. For tests.
    void set_clock(std::function<std::int64_t()> now) { now_ = std::move(now); }
    [[nodiscard]] std::int64_t now() const { return now_(); }

private:
    template <class Account>
    using pointer = std::shared_ptr<const Account>;

    template <class Account, class Key>
    [[nodiscard]] pointer<Account> find(const Key& key) const;
    template <class Account>
    void install(pointer<Account> value, bool takes_rights);
    template <class Account>
    void add_dependent_parts(std::vector<document_write>& parts, const Account& value) const;
    template <class Claim>
    void add_claims(std::vector<document_write>& parts, const std::optional<Claim>& before,
                    const std::optional<Claim>& after) const;
    void install_claims(const std::vector<document_write>& parts, const std::vector<revision>& revs);
    task<result<std::vector<revision>>> commit(std::vector<document_write> parts);
    task<result<void>> claim_names();
    template <class Account>
    task<result<pointer<Account>>> create_one(Account value, bool takes_rights);
    template <class Account>
    task<result<pointer<Account>>> write(Account value, bool takes_rights);
    template <class Account>
    task<result<void>> erase(pointer<Account> value, bool takes_rights);
    template <class Account, class Key>
    task<result<pointer<Account>>> edit_one(Key key, edit<Account> how, std::string not_found_text);
    template <class Account>
    task<result<void>> load_kind(std::shared_ptr<account_tables> into);
    template <class Account, class Key>
    task<result<void>> refresh(Key key, std::string id, revision rev);
    task<result<void>> refresh_document(std::string kind, std::string name, revision rev);
    [[nodiscard]] result<void> check(const tenant& value) const;
    [[nodiscard]] result<void> check(const customer& value) const;
    [[nodiscard]] result<void> check(const user& value) const;
    [[nodiscard]] result<void> check(const api_key& value) const;
    task<result<void>> delete_user_locked(user_ptr account);

    document_store& store_;
    const directory_options options_;
    std::function<std::int64_t()> now_;
    auth::async_mutex writing_;
    mutable std::shared_mutex tables_mutex_;  ///< guards tables_
    std::shared_ptr<account_tables> tables_;
    cache::revocation_epoch epoch_;
};

/// Milliseconds since 1970, from the system's clock.
std::int64_t system_milliseconds();

}  // namespace gallery::accounts
