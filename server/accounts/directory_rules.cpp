// SPDX-License-Identifier: Apache-2.0
// The rules that accounts, their references and their unique names obey.
#include "accounts/directory_internal.hpp"

#include <gallery/mutex.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace gallery::accounts {
namespace {

error refused(std::string text) {
    return {errc::invalid_argument, std::move(text)};
}

}  // namespace

result<void> directory::check(const tenant_profile& value) const {
    if (value.name.empty()) return refused("Tenant profile name should be specified!");
    const shared_lock lock(tables_mutex_);
    const auto& all = tables_->of<tenant_profile>();
    const auto claimed = tables_->find<profile_name_claim>(claim_of(value)->id);
    const bool taken = (claimed && claimed->holder != value.id.value) ||
                       std::any_of(all.begin(), all.end(), [&](const auto& entry) {
                           return entry.first != value.id && entry.second->name == value.name;
                       });
    if (taken) return error{errc::already_exists, "Tenant profile with such name already exists!"};
    const auto other = tables_->default_profile();
    if (value.is_default && other && other->id != value.id)
        return refused("Another default tenant profile is present!");
    return {};
}

result<void> directory::check(const tenant& value) const {
    if (value.deleted) return {};
    if (value.title.empty()) return refused("Tenant title should be specified!");
    const shared_lock lock(tables_mutex_);
    const auto before = tables_->find<tenant>(value.id);
    const bool enters = value.profile && (!before || before->profile != value.profile);
    if (enters && !tables_->find<tenant_profile>(*value.profile)) {
        return error{errc::not_found,
                     "Tenant profile with id [" + to_string(*value.profile) + "] is not found"};
    }
    return {};
}

result<void> directory::check(const customer& value) const {
    if (value.title.empty()) return refused("Customer title should be specified!");
    const shared_lock lock(tables_mutex_);
    const auto owner = tables_->find<tenant>(value.owner);
    if (!owner || owner->is_deleted()) return refused("Customer is referencing to non-existent tenant!");
    bool taken = false;
    tables_->for_each_customer_of(value.owner, [&](const customer_ptr& other) {
        taken = taken || (other->id != value.id && other->title == value.title);
    });
    const auto claimed = tables_->find<title_claim>(claim_of(value)->id);
    taken = taken || (claimed && claimed->holder != value.id.value);
    if (taken) return error{errc::already_exists, "Customer with such title already exists!"};
    return {};
}

result<void> directory::check(const user& value) const {
    if (value.deleted) return {};
    if (value.email.empty()) return refused("User email should be specified!");
    const bool of_system = value.owner == system_tenant;
    switch (value.role) {
        case auth::authority::sys_admin:
            if (!of_system || value.customer) {
                return refused("System administrator can't be assigned neither to tenant nor to customer!");
            }
            break;
        case auth::authority::tenant_admin:
            if (of_system) return refused("Tenant administrator should be assigned to tenant!");
            if (value.customer) return refused("Tenant administrator can't be assigned to customer!");
            break;
        case auth::authority::customer_user:
            if (of_system || !value.customer) return refused("Customer user should be assigned to customer!");
            break;
    }
    const shared_lock lock(tables_mutex_);
    const auto same_email = tables_->find_by_email(value.email);
    const auto claimed = tables_->find<email_claim>(claim_of(value)->id);
    if ((same_email && same_email->id != value.id) || (claimed && claimed->holder != value.id.value)) {
        return error{errc::already_exists,
                     "User with email '" + value.email + "'  already present in database!"};
    }
    if (!of_system) {
        const auto owner = tables_->find<tenant>(value.owner);
        if (!owner || owner->is_deleted()) return refused("User is referencing to non-existent tenant!");
    }
    if (value.customer) {
        const auto belongs_to = tables_->find<customer>(*value.customer);
        if (!belongs_to) return refused("User is referencing to non-existent customer!");
        if (belongs_to->owner != value.owner) {
            return refused("User can't be assigned to customer from different tenant!");
        }
    }
    return {};
}

result<void> directory::check(const api_key& value) const {
    if (value.description.empty()) return refused("API key description should be specified!");
    const shared_lock lock(tables_mutex_);
    const auto holder = tables_->find<user>(value.holder);
    if (!holder || holder->deleted) return refused("API key is referencing to non-existent user!");
    return {};
}

/// Another server may have added a user in the meantime.
result<void> directory::may_erase(const customer& value) const {
    if (!users_of(value.id).empty()) return conflict();
    return {};
}

result<void> directory::may_erase(const tenant_profile& value) const {
    const shared_lock lock(tables_mutex_);
    const auto current = tables_->default_profile();
    if (current && current->id == value.id)
        return refused(
            "Deletion of Default Tenant Profile is prohibited! Make another profile the default one");
    // For the lambda, which clang's analysis of locks checks as a function of its own.
    const auto& tables = *tables_;
    const auto& all = tables.of<tenant>();
    const auto users = std::count_if(all.begin(), all.end(), [&](const auto& entry) {
        const tenant& each = *entry.second;
        if (each.is_deleted()) return false;
        const auto profile = tables.profile_of(each);
        return profile && profile->id == value.id;
    });
    if (users == 0) return {};
    return refused(
        "The tenant profile referenced by the tenants cannot be deleted! Give another profile to " +
        std::to_string(users) + (users == 1 ? " tenant" : " tenants"));
}

}  // namespace gallery::accounts
