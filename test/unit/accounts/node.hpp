// SPDX-License-Identifier: Apache-2.0
/// One of several servers on one store: a directory that follows the store's feed when it is asked to.
#pragma once

#include "accounts/directory.hpp"
#include "documents_in_memory.hpp"
#include "house.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace gallery::test {

struct node {
    explicit node(documents_in_memory& shared, accounts::directory_options options = {})
        : store(shared), accounts(shared, options) {
        seen = run(store.last()).value();
        accounts.follow_with([this] { return follow(); });
        if (!run(accounts.load())) throw std::logic_error("cannot load");
    }

    task<result<void>> follow() {
        if (cut_off) co_return *cut_off;
        auto batch = co_await store.changes(seen, 10'000);
        if (!batch) co_return batch.error();
        for (auto& one : batch->changes) {
            auto applied = co_await accounts.apply(std::move(one));
            if (!applied) co_return applied;
        }
        seen = batch->next;
        co_return result<void>();
    }

    result<accounts::tenant_ptr> add_tenant(std::string title = "T") {
        accounts::tenant value;
        value.title = std::move(title);
        return run(accounts.create(std::move(value)));
    }
    result<accounts::customer_ptr> add_customer(tenant_id owner, std::string title = "C") {
        accounts::customer value;
        value.owner = owner;
        value.title = std::move(title);
        return run(accounts.create(std::move(value)));
    }
    /// A member of the customer, or an administrator of the tenant.
    result<accounts::user_ptr> add_user(std::string email, tenant_id owner,
                                        std::optional<customer_id> of = {}) {
        accounts::user value;
        value.email = std::move(email);
        value.owner = owner;
        value.customer = of;
        value.role = of ? auth::authority::customer_user : auth::authority::tenant_admin;
        return run(accounts.create(std::move(value)));
    }

    documents_in_memory& store;
    accounts::directory accounts;
    revision seen = 0;
    std::optional<error> cut_off;  ///< from the feed
};

}  // namespace gallery::test
