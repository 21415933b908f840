/// Everything of the auth component on a store in memory, with a clock that stands still.
#pragma once

#include "auth/authenticator.hpp"
#include "auth/directory.hpp"
#include "auth/first_accounts.hpp"
#include "auth/logins.hpp"
#include "await.hpp"
#include "document_store.hpp"

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
    explicit house(auth::login_options options = {}, auth::directory_options of_accounts = {},
                   auth::authenticator_options of_gate = {})
        : accounts(store, of_accounts),
          gate(accounts, codec, of_gate),
          logins(accounts, codec, passwords, limiter, options) {
        accounts.set_clock([this] { return now.load(); });
        if (!run(accounts.load())) throw std::logic_error("cannot load");
    }

    document_store store;
    std::atomic<std::int64_t> now{1'700'000'000'000};
    auth::token_codec codec{std::string(64, 'k'), "thingsboard.io"};
    auth::password_service passwords{quick};
    auth::login_limiter limiter;
    auth::directory accounts;
    auth::authenticator gate;
    auth::logins logins;

    void pass(std::chrono::milliseconds time) { now += time.count(); }
    [[nodiscard]] auth::authenticator::time_point time() const {
        return auth::authenticator::time_point(std::chrono::milliseconds(now.load()));
    }

    auth::tenant_ptr add_tenant(std::string title = "T") {
        auth::tenant value;
        value.title = std::move(title);
        return run(accounts.create(std::move(value))).value();
    }
    auth::customer_ptr add_customer(tenant_id owner, std::string title = "C") {
        auth::customer value;
        value.owner = owner;
        value.title = std::move(title);
        return run(accounts.create(std::move(value))).value();
    }
    auth::user_ptr add_user(std::string email, tenant_id owner, std::string password = "secret1",
                            std::optional<customer_id> of = {}) {
        auth::user value;
        value.email = std::move(email);
        value.owner = owner;
        value.customer = of;
        value.role =
            of ? auth::authority::customer_user
               : (owner == system_tenant ? auth::authority::sys_admin : auth::authority::tenant_admin);
        if (!password.empty()) value.password_hash = auth::hash_password(password, quick);
        return run(accounts.create(std::move(value))).value();
    }
    std::pair<auth::api_key_ptr, std::string> add_key(const auth::user_ptr& holder,
                                                      std::int64_t expires = 0) {
        auto secret = auth::generate_api_key();
        auth::api_key value;
        value.holder = holder->id;
        value.owner = holder->owner;
        value.description = "test";
        value.expiration_time = expires;
        value.hash = auth::api_key_digest(secret);
        return {run(accounts.create(std::move(value))).value(), secret};
    }
    result<auth::token_pair> log_in(std::string email, std::string password = "secret1",
                                    std::string address = "192.0.2.1") {
        return run(logins.log_in(std::move(email), std::move(password), std::move(address))).outcome;
    }
    result<auth::principal_ptr> who(const std::string& token) {
        return gate.authenticate("Bearer " + token, time());
    }
    result<auth::principal_ptr> who_has_key(const std::string& secret) {
        return gate.authenticate("ApiKey " + secret, time());
    }
};

}  // namespace gallery::test
