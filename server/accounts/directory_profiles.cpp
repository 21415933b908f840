// SPDX-License-Identifier: Apache-2.0
// Tenant profiles, and the limits that they set.
#include "accounts/directory_internal.hpp"

#include "accounts/account_documents.hpp"
#include "accounts/profile_data.hpp"

#include <utility>

namespace gallery::accounts {
namespace {

document_write save_as_default(const tenant_profile& profile, bool is_default) {
    auto next = profile;
    next.is_default = is_default;
    return document_write::save(to_document(next), precondition::match(profile.rev));
}

}  // namespace

tenant_profile_ptr directory::find_profile(tenant_profile_id id) const {
    return find<tenant_profile>(id);
}

tenant_profile_ptr directory::default_profile() const {
    const shared_lock lock(tables_mutex_);
    return tables_->default_profile();
}

tenant_profile_ptr directory::profile_of(const tenant& value) const {
    const shared_lock lock(tables_mutex_);
    return tables_->profile_of(value);
}

std::vector<tenant_profile_ptr> directory::profiles() const {
    std::vector<tenant_profile_ptr> out;
    const shared_lock lock(tables_mutex_);
    for (const auto& [id, value] : tables_->of<tenant_profile>())
        out.push_back(value);
    return out;
}

tenant_limits_ptr directory::limits_of(const tenant_id& id) const {
    if (id == system_tenant) return nullptr;
    const shared_lock lock(tables_mutex_);
    const auto known = tables_->find<tenant>(id);
    const auto profile = known ? tables_->profile_of(*known) : tables_->default_profile();
    return profile ? profile->limits : nullptr;
}

task<result<tenant_profile_ptr>> directory::ensure_default_profile(requirements also) {
    if (auto known = default_profile()) co_return known;
    tenant_profile first;
    first.id = first_tenant_profile;
    first.name = "Default";
    first.description = "Default tenant profile";
    first.is_default = true;
    if (auto done = set_data(first, {}); !done) co_return done.error();
    auto made = co_await create(std::move(first), std::move(also));
    if (made) co_return made;
    // Another server may have been faster.
    if (auto known = default_profile()) co_return known;
    co_return made.error();
}

/// Both profiles are written in one step, so that there is one default profile at any time. The new one comes
/// first, so that a server that follows the feed does not see a moment without one.
task<result<tenant_profile_ptr>> directory::make_default(tenant_profile_id id) {
    for (int attempt = 0; attempt < write_attempts; ++attempt) {
        if (auto fresh = co_await before_attempt(attempt); !fresh) co_return fresh.error();
        const auto turn = co_await writing_.take(system_tenant);
        if (!turn) co_return turn.error();
        const auto next = find<tenant_profile>(id);
        if (!next) {
            co_return error{errc::not_found, "Tenant profile with id [" + to_string(id) + "] is not found"};
        }
        if (next->is_default) co_return next;
        std::vector<document_write> parts;
        parts.push_back(save_as_default(*next, true));
        if (const auto current = default_profile()) parts.push_back(save_as_default(*current, false));
        auto written = co_await commit(std::move(parts));
        // Those that have no tenant here have other limits.
        if (written) epoch_.bump();
        if (written) co_return find<tenant_profile>(id);
        if (!is_conflict(written.error())) co_return written.error();
    }
    co_return conflict();
}

}  // namespace gallery::accounts
