// SPDX-License-Identifier: Apache-2.0
#include "accounts/customers.hpp"

#include "auth/random.hpp"

#include <utility>

namespace gallery::accounts {
namespace {

/// Far more than the customers of one title in practice.
constexpr int title_attempts = 1000;

}  // namespace

result<customer_ptr> customers::find_of(const auth::principal& who, customer_id id) const {
    auto found = all_.find_customer(id);
    if (!found) return error{errc::not_found, "Customer with id [" + to_string(id) + "] is not found"};
    const bool own =
        who.role == auth::authority::tenant_admin ? found->owner == who.tenant : found->id == who.customer;
    if (!own) return permission_denied();
    return found;
}

task<result<customer_ptr>> customers::save(tenant_administrator who, submitted<customer> sent,
                                           title_policy policy) {
    if (sent.id) {
        const auto known = find_of(who.who(), customer_id{*sent.id});
        if (!known) co_return known.error();
    }
    const auto owner = who.who().tenant;
    const auto title = sent.value.title;
    for (int attempt = 0;; ++attempt) {
        auto saved = co_await save_once(owner, sent);
        const bool taken = !saved && saved.error().code == errc::already_exists;
        if (!taken || !policy.uniquify || attempt == title_attempts) co_return saved;
        sent.value.title = title + policy.separator +
                           (policy.incremental ? std::to_string(attempt + 1) : auth::random_alphanumerics(6));
    }
}

task<result<customer_ptr>> customers::save_once(tenant_id owner, submitted<customer> sent) {
    if (!sent.id) {
        sent.value.owner = owner;
        co_return co_await all_.create(std::move(sent.value));
    }
    const customer_id id{*sent.id};
    auto how =
        replace_members(std::move(sent), &customer::title, &customer::reach, &customer::additional_info);
    auto changed = co_await all_.change_customer(id, std::move(how));
    co_return changed;
}

result<customer_ptr> customers::find(const tenant_member& who, customer_id id) const {
    return find_of(who.who(), id);
}

task<result<void>> customers::erase(tenant_administrator who, customer_id id) {
    const auto found = find_of(who.who(), id);
    if (!found) co_return found.error();
    auto done = co_await all_.delete_customer(id);
    co_return done;
}

std::vector<customer_ptr> customers::list(const tenant_administrator& who) const {
    return all_.customers_of(who.who().tenant);
}

}  // namespace gallery::accounts
