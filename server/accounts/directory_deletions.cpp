// SPDX-License-Identifier: Apache-2.0
// Deleting users, customers and tenants, which takes several writes. Each can be repeated after a crash.
#include "accounts/directory_internal.hpp"

namespace gallery::accounts {

/// The tombstone comes first: from then on neither tokens nor keys of the user are good, whatever happens to
/// the rest. A key that another process makes meanwhile requires the user as it was, or is forgotten by
/// forget_expired().
task<result<void>> directory::delete_user(user_id id) {
    edit<user> bury = [forget_after = now_() + options_.longest_token_ms](user& value) -> result<void> {
        user tombstone;
        tombstone.id = value.id;
        tombstone.owner = value.owner;
        tombstone.role = value.role;
        tombstone.created_time = value.created_time;
        tombstone.version = value.version;
        tombstone.enabled = false;
        tombstone.deleted = true;
        tombstone.forget_after = forget_after;
        tombstone.rev = value.rev;
        value = std::move(tombstone);
        return {};
    };
    auto buried = co_await change_user(id, std::move(bury));
    if (!buried) co_return buried.error();
    for (const auto& key : api_keys_of(id)) {
        auto done = co_await delete_api_key(key->id);
        if (!done && done.error().code != errc::not_found) co_return done;
    }
    co_return result<void>();
}

/// The customer goes last and only as it is known, which implies all of its users. Where one came meanwhile,
/// the customer has another revision, or erase_one() sees the user; then the users are looked at again.
task<result<void>> directory::delete_customer(customer_id id) {
    for (int attempt = 0; attempt < write_attempts; ++attempt) {
        if (auto fresh = co_await before_attempt(attempt); !fresh) co_return fresh;
        for (const auto& account : users_of(id)) {
            auto deleted = co_await delete_user(account->id);
            if (!deleted && deleted.error().code != errc::not_found) co_return deleted;
        }
        auto erased = co_await erase_one<customer>(id, false);
        const bool was_there = attempt > 0;
        if (!erased && erased.error().code == errc::not_found && was_there) co_return result<void>();
        if (erased || !is_conflict(erased.error())) co_return erased;
    }
    co_return conflict();
}

task<result<void>> directory::delete_tenant(tenant_id id, tenant_images_eraser erase_images) {
    edit<tenant> shut = [](tenant& value) -> result<void> {
        value.deleting = true;
        return {};
    };
    auto closed = co_await change_tenant(id, std::move(shut));
    if (!closed) co_return closed.error();
    // Without a turn: there may be very many of them.
    if (auto done = co_await erase_images(id); !done) co_return done;
    // Nobody joins a tenant that was shut. Who joined before, on another server, is known after this.
    if (auto fresh = co_await catch_up(); !fresh) co_return fresh;
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
    edit<tenant> bury = [now = now_()](tenant& value) -> result<void> {
        tenant tombstone;
        tombstone.id = value.id;
        tombstone.created_time = value.created_time;
        tombstone.rev = value.rev;
        tombstone.deleted = true;
        tombstone.deleted_time = now;
        value = std::move(tombstone);
        return {};
    };
    auto buried = co_await change_tenant(id, std::move(bury));
    // Not found: somebody else ended the same deletion.
    if (!buried && buried.error().code != errc::not_found) co_return buried.error();
    co_return result<void>();
}

task<result<void>> directory::note_no_images(tenant_id id) {
    const auto turn = co_await writing_.take(system_tenant);
    if (!turn) co_return turn.error();
    const auto known = find<tenant>(id);
    if (!known || !known->deleted || known->images_erased) co_return result<void>();
    if (now_() < known->deleted_time + late_upload_ms) co_return result<void>();
    tenant noted = *known;
    noted.images_erased = true;
    auto written = co_await write<tenant>(std::move(noted), {}, false);
    if (written) co_return result<void>();
    if (!is_conflict(written.error())) co_return written.error();
    // Another server was faster.
    co_return co_await refresh_document(std::string(tenant::document_kind), to_string(id), 0);
}

}  // namespace gallery::accounts
