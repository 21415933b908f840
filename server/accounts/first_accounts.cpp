// SPDX-License-Identifier: Apache-2.0
#include "accounts/first_accounts.hpp"

#include <utility>

namespace gallery::accounts {
namespace {

/// Of the demo tenant, on every server: so a start that was cut off is gone on with, and two at once make
/// one. Once that tenant was deleted its id is never used again, and the next one has an id of its own.
const tenant_id demo_tenant{
    uuid{0x67, 0x61, 0x6c, 0x6c, 0x65, 0x72, 0x40, 0x79, 0x80, 0x64, 0x65, 0x6d, 0x6f, 0x00, 0x00, 0x01}};

task<result<tenant_id>> ensure_demo_tenant(directory& accounts, directory::requirements also) {
    if (accounts.find_tenant(demo_tenant)) co_return demo_tenant;
    tenant first_tenant;
    if (!accounts.is_tenant_deleted(demo_tenant)) first_tenant.id = demo_tenant;
    first_tenant.title = "Demo tenant";
    if (const auto profile = accounts.default_profile()) first_tenant.profile = profile->id;
    auto made = co_await accounts.create(std::move(first_tenant), std::move(also));
    if (!made) co_return made.error();
    co_return (*made)->id;
}

task<result<new_account>> make(directory& accounts, auth::password_service& passwords, user account,
                               std::string password, directory::requirements also) {
    new_account out;
    out.email = account.email;
    out.role = account.role;
    out.generated = password.empty();
    out.password = out.generated ? auth::generate_password() : std::move(password);
    if (const auto allowed = auth::check_password_policy(out.password); !allowed) {
        co_return error{allowed.error().code, "The password given for " + out.email +
                                                  " cannot be used: " + allowed.error().message};
    }
    auto hash = co_await passwords.hash(out.password);
    if (!hash) co_return hash.error();
    account.password_hash = std::move(*hash);
    auto made = co_await accounts.create(std::move(account), std::move(also));
    if (!made) co_return made.error();
    co_return out;
}

user demo_user(tenant_id owner, auth::authority role, std::string_view email, std::string_view last_name) {
    user account;
    account.owner = owner;
    account.role = role;
    account.email = email;
    account.first_name = "Demo";
    account.last_name = last_name;
    return account;
}

}  // namespace

task<result<std::optional<new_account>>> ensure_sysadmin(directory& accounts,
                                                         auth::password_service& passwords, std::string email,
                                                         std::string password, directory::requirements also) {
    std::optional<new_account> out;
    if (!accounts.users_with(auth::authority::sys_admin).empty()) co_return out;
    user account;
    account.owner = system_tenant;
    account.role = auth::authority::sys_admin;
    account.email = std::move(email);
    auto made = co_await make(accounts, passwords, std::move(account), std::move(password), std::move(also));
    if (!made) co_return made.error();
    out = std::move(*made);
    co_return out;
}

task<result<demo_accounts>> ensure_demo(directory& accounts, auth::password_service& passwords,
                                        std::string password, directory::requirements also) {
    demo_accounts out;
    if (const auto known = accounts.find_user_by_email(demo_tenant_email)) {
        out.tenant = known->owner;
    } else {
        auto first_tenant = co_await ensure_demo_tenant(accounts, also);
        if (!first_tenant) co_return first_tenant.error();
        out.tenant = *first_tenant;
        auto admin = demo_user(out.tenant, auth::authority::tenant_admin, demo_tenant_email, "Administrator");
        auto made = co_await make(accounts, passwords, std::move(admin), password, also);
        if (!made) co_return made.error();
        out.made.push_back(std::move(*made));
    }
    if (!accounts.find_user_by_email(demo_customer_email)) {
        customer group;
        group.owner = out.tenant;
        group.title = "Demo customer";
        auto made_customer = co_await accounts.create(group, also);
        if (!made_customer && made_customer.error().code == errc::already_exists) {
            for (const auto& known : accounts.customers_of(out.tenant)) {
                if (known->title == group.title) made_customer = known;
            }
        }
        if (!made_customer) co_return made_customer.error();
        auto member = demo_user(out.tenant, auth::authority::customer_user, demo_customer_email, "User");
        member.customer = (*made_customer)->id;
        auto made = co_await make(accounts, passwords, std::move(member), password, also);
        if (!made) co_return made.error();
        out.made.push_back(std::move(*made));
    }
    co_return out;
}

}  // namespace gallery::accounts
