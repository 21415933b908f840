// SPDX-License-Identifier: Apache-2.0
#include "accounts/users.hpp"

#include "accounts/permissions.hpp"

namespace gallery::accounts {
namespace {

using auth::authority;

/// What an update may change: names, phone, additional_info; the e-mail address, by somebody who signed in;
/// the role (and with it the customer) only by somebody else who keeps the user, **ours**; never the tenant.
///
/// @p other_link takes the place of an invitation that was made out to what the user was before.
result<void> update_user(const auth::principal& who, const submitted_user& sent, const activation& other_link,
                         user& value) {
    if (!may_manage(who, value)) return permission_denied();
    if (const auto current = check_version(sent.version, value.version); !current) return current;
    if (sent.tenant && tenant_id{*sent.tenant} != value.owner) {
        return error{errc::invalid_argument, "Can't update user tenant id!"};
    }
    // A client that leaves the customer out does not mean to take the user out of it.
    auto customer = sent.customer ? std::optional(customer_id{*sent.customer}) : value.customer;
    if (sent.value.role != authority::customer_user && !sent.customer) customer.reset();
    const bool is_moved = sent.value.role != value.role || customer != value.customer;
    if (is_moved) {
        if (!may_administer(who, value)) return permission_denied();
        if (auto may = may_give_role(who, sent.value.role); !may) return may;
        value.role = sent.value.role;
        value.customer = customer;
        if (!may_administer(who, value)) return permission_denied();
        if (value.role == authority::sys_admin && who.role != authority::sys_admin)
            return permission_denied();
    }
    const bool is_renamed = sent.value.email != value.email;
    if (is_renamed) {
        if (auto may = require_signed_in(who); !may) return may;
        value.email = sent.value.email;
    }
    // Neither the holder of the old link nor the API key that made the user was given the new role.
    if (value.pending && (is_moved || is_renamed)) value.pending = other_link;
    value.first_name = sent.value.first_name;
    value.last_name = sent.value.last_name;
    value.phone = sent.value.phone;
    value.additional_info = sent.value.additional_info;
    return {};
}

/// may_give_access() at the moment of the write: the user may have chosen a password since it was proved.
user_credentials::condition still_admissible(auth::principal_ptr who) {
    return [who = std::move(who)](const user& account) { return may_give_access(*who, account); };
}

}  // namespace

result<user_ptr> users::find(const anybody& who, user_id id, rule allowed) const {
    auto account = all_.find_user(id);
    if (!account) return error{errc::not_found, "User with id [" + to_string(id) + "] is not found"};
    if (!allowed(who.who(), *account)) return permission_denied();
    return account;
}

result<managed_user> users::manage(anybody who, user_id id) const {
    auto account = find(who, id, may_manage);
    if (!account) return account.error();
    return managed_user(who.shared(), std::move(*account));
}

result<administered_user> users::administer(anybody who, user_id id) const {
    auto account = find(who, id, may_administer);
    if (!account) return account.error();
    return administered_user(who.shared(), std::move(*account));
}

result<user_to_admit> users::admit(administered_user of) {
    if (auto may = may_give_access(of.who(), of.account()); !may) return may.error();
    return user_to_admit(std::move(of));
}

result<user> users::new_user(const auth::principal& who, submitted_user sent) const {
    if (who.role == authority::customer_user) return permission_denied();
    auto out = std::move(sent.value);
    const bool of_system = who.role == authority::sys_admin;
    out.owner = !of_system ? who.tenant : (sent.tenant ? tenant_id{*sent.tenant} : system_tenant);
    if (sent.customer) out.customer = customer_id{*sent.customer};
    if (of_system ? out.role == authority::customer_user : out.role == authority::sys_admin) {
        return permission_denied();
    }
    if (auto may = may_give_role(who, out.role); !may) return may.error();
    out.enabled = false;
    out.pending = credentials_.begin_activation();
    out.pending->made_with = who.api_key;
    return out;
}

task<result<user_ptr>> users::save(anybody who, submitted_user sent) {
    if (!sent.id) {
        auto account = new_user(who.who(), std::move(sent));
        if (!account) co_return account.error();
        auto made = co_await all_.create(std::move(*account));
        co_return made;
    }
    const user_id id{*sent.id};
    directory::edit<user> how = [who = who.shared(), given = std::move(sent),
                                 other_link = credentials_.begin_activation()](user& value) {
        return update_user(*who, given, other_link, value);
    };
    auto changed = co_await all_.change_user(id, std::move(how));
    co_return changed;
}

task<result<void>> users::erase(managed_user of) {
    if (of.who().user == of.account().id && of.who().role == authority::sys_admin) {
        co_return error{errc::permission_denied, "Sysadmin is not allowed to delete himself"};
    }
    if (!may_administer(of.who(), of.account())) co_return permission_denied();
    auto done = co_await all_.delete_user(of.account().id);
    co_return done;
}

task<result<void>> users::set_enabled(administered_user of, bool enabled) {
    auto done = co_await credentials_.set_enabled(of.account().id, enabled);
    co_return done;
}

task<result<void>> users::set_password(user_to_admit of, std::string chosen) {
    auto allowed = still_admissible(of.who_);
    auto done = co_await credentials_.set_password(of.account().id, std::move(chosen), std::move(allowed));
    co_return done;
}

task<result<std::string>> users::activation_token(user_to_admit of) {
    auto allowed = still_admissible(of.who_);
    auto token = co_await credentials_.activation_token(of.account().id, std::move(allowed));
    co_return token;
}

std::vector<user_ptr> users::list(const anybody& who) const {
    switch (who.who().role) {
        case authority::sys_admin: {
            auto out = all_.users_with(authority::sys_admin);
            const auto admins = all_.users_with(authority::tenant_admin);
            out.insert(out.end(), admins.begin(), admins.end());
            return out;
        }
        case authority::tenant_admin:
            return all_.users_of(who.who().tenant);
        case authority::customer_user:
            return all_.users_of(*who.who().customer);
    }
    return {};
}

result<std::vector<user_ptr>> users::administrators_of(const system_administrator& /*who*/,
                                                       tenant_id of) const {
    if (!all_.find_tenant(of))
        return error{errc::not_found, "Tenant with id [" + to_string(of) + "] is not found"};
    auto out = all_.users_of(of);
    std::erase_if(out, [](const user_ptr& one) { return one->role != authority::tenant_admin; });
    return out;
}

result<std::vector<user_ptr>> users::of_customer(const tenant_administrator& who, customer_id of) const {
    const auto owner = all_.find_customer(of);
    if (!owner) return error{errc::not_found, "Customer with id [" + to_string(of) + "] is not found"};
    if (owner->owner != who.who().tenant) return permission_denied();
    return all_.users_of(of);
}

}  // namespace gallery::accounts
