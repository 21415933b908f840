// SPDX-License-Identifier: Apache-2.0
#include "accounts/first_accounts.hpp"

#include <utility>

namespace gallery::accounts {
namespace {

task<result<new_account>> make(directory& accounts, auth::password_service& passwords, user account,
                               std::string password) {
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
    auto made = co_await accounts.create(std::move(account));
    if (!made) co_return made.error();
    co_return out;
}

}  // namespace

task<result<std::optional<new_account>>> ensure_sysadmin(directory& accounts,
                                                         auth::password_service& passwords, std::string email,
                                                         std::string password) {
    std::optional<new_account> out;
    if (!accounts.users_with(auth::authority::sys_admin).empty()) co_return out;
    user account;
    account.owner = system_tenant;
    account.role = auth::authority::sys_admin;
    account.email = std::move(email);
    auto made = co_await make(accounts, passwords, std::move(account), std::move(password));
    if (!made) co_return made.error();
    out = std::move(*made);
    co_return out;
}

task<result<demo_accounts>> ensure_demo(directory& accounts, auth::password_service& passwords,
                                        std::string password) {
    demo_accounts out;
    if (const auto known = accounts.find_user_by_email(demo_tenant_email)) {
        out.tenant = known->owner;
    } else {
        tenant home;
        home.title = "Demo tenant";
        auto made_tenant = co_await accounts.create(std::move(home));
        if (!made_tenant) co_return made_tenant.error();
        out.tenant = (*made_tenant)->id;
        user admin;
        admin.owner = out.tenant;
        admin.role = auth::authority::tenant_admin;
        admin.email = demo_tenant_email;
        admin.first_name = "Demo";
        admin.last_name = "Administrator";
        auto made = co_await make(accounts, passwords, std::move(admin), password);
        if (!made) co_return made.error();
        out.made.push_back(std::move(*made));
    }
    if (!accounts.find_user_by_email(demo_customer_email)) {
        customer group;
        group.owner = out.tenant;
        group.title = "Demo customer";
        auto made_customer = co_await accounts.create(group);
        if (!made_customer && made_customer.error().code == errc::already_exists) {
            for (const auto& known : accounts.customers_of(out.tenant)) {
                if (known->title == group.title) made_customer = known;
            }
        }
        if (!made_customer) co_return made_customer.error();
        user member;
        member.owner = out.tenant;
        member.customer = (*made_customer)->id;
        member.role = auth::authority::customer_user;
        member.email = demo_customer_email;
        member.first_name = "Demo";
        member.last_name = "User";
        auto made = co_await make(accounts, passwords, std::move(member), password);
        if (!made) co_return made.error();
        out.made.push_back(std::move(*made));
    }
    co_return out;
}

}  // namespace gallery::accounts
