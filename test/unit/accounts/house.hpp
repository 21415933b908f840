// SPDX-License-Identifier: Apache-2.0
/// Everything of the accounts component on a store in memory, with a clock that stands still.
#pragma once

#include "accounts/authenticator.hpp"
#include "accounts/directory.hpp"
#include "accounts/first_accounts.hpp"
#include "accounts/logins.hpp"
#include "accounts/user_credentials.hpp"
#include "auth/api_key.hpp"
#include "await.hpp"
#include "documents_in_memory.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace gallery::test {

/// Runs a coroutine to its end and returns what it returned.
template <class T>
T run(task<T> what) {
    return await(std::move(what));
}

/// Cheap on purpose; the cost is one test's subject only.
inline constexpr auth::password_cost quick{.log_n = 4, .r = 8, .p = 1};

struct house {
    explicit house(accounts::login_options options = {}, accounts::directory_options of_accounts = {},
                   accounts::authenticator_options of_gate = {})
        : accounts(store, of_accounts),
          gate(accounts, codec, of_gate),
          logins(accounts, codec, passwords, limiter, options) {
        accounts.set_clock([this] { return now.load(); });
        if (!run(accounts.load())) throw std::logic_error("cannot load");
    }

    documents_in_memory store;
    std::atomic<std::int64_t> now{1'700'000'000'000};
    auth::token_codec codec{std::string(64, 'k'), "thingsboard.io"};
    auth::password_service passwords{quick};
    auth::login_limiter limiter;
    accounts::directory accounts;
    accounts::authenticator gate;
    accounts::logins logins;
    accounts::user_credentials credentials{accounts, codec, passwords};

    void pass(std::chrono::milliseconds time) { now += time.count(); }
    [[nodiscard]] accounts::authenticator::time_point time() const {
        return accounts::authenticator::time_point(std::chrono::milliseconds(now.load()));
    }

    accounts::tenant_ptr add_tenant(std::string title = "T") {
        accounts::tenant value;
        value.title = std::move(title);
        return run(accounts.create(std::move(value))).value();
    }
    accounts::customer_ptr add_customer(tenant_id owner, std::string title = "C") {
        accounts::customer value;
        value.owner = owner;
        value.title = std::move(title);
        return run(accounts.create(std::move(value))).value();
    }
    accounts::user_ptr add_user(std::string email, tenant_id owner, std::string password = "secret1",
                                std::optional<customer_id> of = {}) {
        accounts::user value;
        value.email = std::move(email);
        value.owner = owner;
        value.customer = of;
        value.role =
            of ? auth::authority::customer_user
               : (owner == system_tenant ? auth::authority::sys_admin : auth::authority::tenant_admin);
        if (!password.empty()) value.password_hash = auth::hash_password(password, quick);
        return run(accounts.create(std::move(value))).value();
    }
    std::pair<accounts::api_key_ptr, std::string> add_key(const accounts::user_ptr& holder,
                                                          std::int64_t expires = 0) {
        auto secret = auth::generate_api_key();
        accounts::api_key value;
        value.holder = holder->id;
        value.owner = holder->owner;
        value.description = "test";
        value.expiration_time = expires;
        value.hash = auth::api_key_digest(secret);
        return {run(accounts.create(std::move(value))).value(), secret};
    }
    result<accounts::token_pair> log_in(std::string email, std::string password = "secret1",
                                        std::string address = "192.0.2.1") {
        return run(logins.log_in(std::move(email), std::move(password), std::move(address)));
    }
    result<auth::principal_ptr> who(const std::string& token) {
        return gate.authenticate("Bearer " + token, time());
    }
    result<auth::principal_ptr> who_has_key(const std::string& secret) {
        return gate.authenticate("ApiKey " + secret, time());
    }
};

}  // namespace gallery::test
