// SPDX-License-Identifier: Apache-2.0
#include "app/upkeep.hpp"

#include "app/log.hpp"

#include <string>
#include <utility>

namespace gallery::app {

namespace {

task<result<std::uint64_t>> erase_all(images::image_service& images, tenant_id tenant) {
    return images.erase_all(images::permit_of_the_server<images::image_operation::write>(tenant));
}

/// A shared store that does not answer is asked again in the next run: each further question would wait for
/// its timeout, and the end of the server for this run.
bool is_away(const upkeep_subjects& on, const error& failed) noexcept {
    const bool is_silent =
        failed.code == errc::unavailable || failed.code == errc::busy || failed.code == errc::unknown_outcome;
    return on.turn != nullptr && is_silent;
}

/// The users of such a tenant have no access until this completes the deletion.
task<void> finish_deletions(upkeep_subjects on) {
    for (const auto& tenant : on.accounts.unfinished_deletions()) {
        accounts::tenant_images_eraser erase = [&images = on.images](tenant_id id) {
            return erase_images_of(images, id);
        };
        const auto deleted = co_await on.accounts.delete_tenant(tenant, std::move(erase));
        if (deleted) continue;
        log_warning("the deletion of a tenant failed: " + deleted.error().message);
        if (is_away(on, deleted.error())) co_return;
    }
}

/// Erases images that were stored after the deletion of their tenant. The server that stored one erases it,
/// unless it crashes in between.
task<void> erase_orphans(upkeep_subjects on) {
    for (const auto& tenant : on.accounts.deleted_tenants_to_check()) {
        const auto erased = co_await erase_all(on.images, tenant);
        auto outcome = erased ? result<void>() : result<void>(erased.error());
        if (erased && *erased == 0) outcome = co_await on.accounts.note_no_images(tenant);
        if (!outcome) {
            log_warning("images of the deleted tenant " + to_string(tenant) +
                        " could not be erased: " + outcome.error().message);
            if (is_away(on, outcome.error())) co_return;
        }
    }
}

}  // namespace

task<result<void>> erase_images_of(images::image_service& images, tenant_id tenant) {
    const auto erased = co_await erase_all(images, tenant);
    if (!erased) co_return erased.error();
    co_return result<void>();
}

task<void> run_upkeep(upkeep_subjects on) {
    on.etags.sweep(std::chrono::steady_clock::now());
    on.writes.check();
    const auto noted = co_await on.accounts.record_uses();
    if (!noted) log_warning("the uses of API keys could not be recorded: " + noted.error().message);
    if (!noted && is_away(on, noted.error())) co_return;
    if (on.turn != nullptr) {
        const auto ours = co_await on.turn->acquire();
        if (!ours) log_warning("the upkeep lease cannot be read: " + ours.error().message);
        if (!ours || !*ours) co_return;
    }
    const auto maintained = co_await on.accounts.forget_expired();
    if (!maintained) log_warning("the upkeep of the accounts failed: " + maintained.error().message);
    if (!maintained && is_away(on, maintained.error())) co_return;
    co_await finish_deletions(on);
    co_await erase_orphans(on);
    const auto forgotten = co_await on.nodes.forget_missing();
    if (!forgotten) log_warning("missing servers could not be forgotten: " + forgotten.error().message);
}

}  // namespace gallery::app
