// SPDX-License-Identifier: Apache-2.0
// Reading from memory.
#include "accounts/directory.hpp"

#include "accounts/account_documents.hpp"

#include <gallery/clock.hpp>

#include <utility>

namespace gallery::accounts {
namespace {

/// A write takes some milliseconds. So many of a tenant's wait a second or two, which only that tenant
/// notices.
constexpr fair_turns<tenant_id>::limits writing_limits{
    .at_once = 1, .waiting_per_user = 256, .waiting = 2048};

}  // namespace

directory::directory(document_store& store, directory_options options)
    : store_(store),
      options_(options),
      now_(&now_ms),
      writing_("changes of accounts", writing_limits),
      tables_(std::make_unique<account_tables>()) {}

tenant_ptr directory::find_tenant(tenant_id id) const {
    const shared_lock lock(tables_mutex_);
    auto found = tables_->find<tenant>(id);
    return found && !found->deleted ? found : nullptr;
}

customer_ptr directory::find_customer(customer_id id) const {
    const shared_lock lock(tables_mutex_);
    return tables_->find<customer>(id);
}

user_ptr directory::find_user(user_id id) const {
    const shared_lock lock(tables_mutex_);
    auto found = tables_->find<user>(id);
    return found && !found->deleted ? found : nullptr;
}

user_ptr directory::find_user_by_email(std::string_view email) const {
    const shared_lock lock(tables_mutex_);
    return tables_->find_by_email(email);
}

api_key_ptr directory::find_api_key(api_key_id id) const {
    const shared_lock lock(tables_mutex_);
    return tables_->find<api_key>(id);
}

std::vector<tenant_ptr> directory::tenants() const {
    std::vector<tenant_ptr> out;
    const shared_lock lock(tables_mutex_);
    for (const auto& [id, value] : tables_->of<tenant>()) {
        if (!value->deleted) out.push_back(value);
    }
    return out;
}

std::vector<customer_ptr> directory::customers_of(tenant_id owner) const {
    std::vector<customer_ptr> out;
    const shared_lock lock(tables_mutex_);
    tables_->for_each_customer_of(owner, [&](const customer_ptr& value) { out.push_back(value); });
    return out;
}

std::vector<user_ptr> directory::users_of(tenant_id owner) const {
    std::vector<user_ptr> out;
    const shared_lock lock(tables_mutex_);
    tables_->for_each_user_of(owner, [&](const user_ptr& value) { out.push_back(value); });
    return out;
}

std::vector<user_ptr> directory::users_of(customer_id owner) const {
    std::vector<user_ptr> out;
    const shared_lock lock(tables_mutex_);
    const auto known = tables_->find<customer>(owner);
    if (!known) return out;
    tables_->for_each_user_of(known->owner, [&](const user_ptr& value) {
        if (value->customer == owner) out.push_back(value);
    });
    return out;
}

std::vector<user_ptr> directory::users_with(auth::authority role) const {
    std::vector<user_ptr> out;
    const shared_lock lock(tables_mutex_);
    for (const auto& [id, value] : tables_->of<user>()) {
        if (!value->deleted && value->role == role) out.push_back(value);
    }
    return out;
}

std::vector<api_key_ptr> directory::api_keys_of(user_id holder) const {
    std::vector<api_key_ptr> out;
    const shared_lock lock(tables_mutex_);
    tables_->for_each_api_key_of(holder, [&](const api_key_ptr& value) { out.push_back(value); });
    return out;
}

std::vector<tenant_id> directory::unfinished_deletions() const {
    std::vector<tenant_id> out;
    const shared_lock lock(tables_mutex_);
    tables_->for_each_open_deletion([&](const tenant_ptr& value) {
        if (!value->deleted) out.push_back(value->id);
    });
    return out;
}

std::vector<tenant_id> directory::deleted_tenants_to_check() const {
    std::vector<tenant_id> out;
    const shared_lock lock(tables_mutex_);
    tables_->for_each_open_deletion([&](const tenant_ptr& value) {
        if (value->deleted) out.push_back(value->id);
    });
    return out;
}

bool directory::is_tenant_deleted(tenant_id id) const {
    const shared_lock lock(tables_mutex_);
    const auto known = tables_->find<tenant>(id);
    return known && known->is_deleted();
}

directory::account_status directory::account_status_of(user_id user_of_token, tenant_id tenant_of_token,
                                                       std::string_view session) const {
    account_status out;
    const shared_lock lock(tables_mutex_);
    out.account = tables_->find<user>(user_of_token);
    if (out.account && out.account->deleted) {
        out.account = nullptr;
        out.user_deleted = true;
    }
    const auto owner = tables_->find<tenant>(out.account ? out.account->owner : tenant_of_token);
    out.tenant_deleted = owner && owner->is_deleted();
    if (!session.empty() && !tables_->of<ended_session>().empty()) {
        out.session_ended = tables_->find<ended_session>(name_digest(session)) != nullptr;
    }
    return out;
}

directory::key_status directory::key_status_of(const sha256_digest& hash) const {
    key_status out;
    const shared_lock lock(tables_mutex_);
    out.key = tables_->find_by_hash(hash);
    if (!out.key) return out;
    out.account = tables_->find<user>(out.key->holder);
    if (out.account && out.account->deleted) out.account = nullptr;
    const auto owner = tables_->find<tenant>(out.account ? out.account->owner : out.key->owner);
    out.tenant_deleted = owner && owner->is_deleted();
    return out;
}

}  // namespace gallery::accounts
