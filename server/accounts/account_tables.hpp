// SPDX-License-Identifier: Apache-2.0
/// All accounts in memory, with the indexes by which they are asked for.
///
/// Not synchronised: the directory guards it. Objects are replaced, never changed.
#pragma once

#include "accounts/accounts.hpp"
#include "accounts/claims.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>

namespace gallery::accounts {

/// The form in which email addresses are compared: case-folded.
std::string folded_email(std::string_view email);

class account_tables {
public:
    template <class Account>
    using pointer = std::shared_ptr<const Account>;

    template <class Key, class Account>
    using table = std::unordered_map<Key, pointer<Account>>;

    /// Null where there is none. Tombstones are found, too.
    template <class Account, class Key>
    [[nodiscard]] pointer<Account> find(const Key& key) const {
        const auto& where = of<Account>();
        const auto found = where.find(key);
        return found == where.end() ? nullptr : found->second;
    }
    [[nodiscard]] user_ptr find_by_email(std::string_view email) const;
    [[nodiscard]] api_key_ptr find_by_hash(const sha256_digest& hash) const;

    void put(pointer<tenant> value);
    void put(pointer<customer> value);
    void put(pointer<user> value);
    void put(pointer<api_key> value);
    void put(pointer<ended_session> value);
    void put(pointer<spent_token> value);
    void put(pointer<email_claim> value);
    void put(pointer<title_claim> value);

    void remove(const tenant& value);
    void remove(const customer& value);
    void remove(const user& value);
    void remove(const api_key& value);
    void remove(const ended_session& value);
    void remove(const spent_token& value);
    void remove(const email_claim& value);
    void remove(const title_claim& value);

    /// Everything of a kind, by id.
    template <class Account>
    [[nodiscard]] const auto& of() const noexcept {
        if constexpr (std::is_same_v<Account, tenant>) {
            return tenants_;
        } else if constexpr (std::is_same_v<Account, customer>) {
            return customers_;
        } else if constexpr (std::is_same_v<Account, user>) {
            return users_;
        } else if constexpr (std::is_same_v<Account, api_key>) {
            return api_keys_;
        } else if constexpr (std::is_same_v<Account, ended_session>) {
            return sessions_;
        } else if constexpr (std::is_same_v<Account, spent_token>) {
            return spent_tokens_;
        } else if constexpr (std::is_same_v<Account, email_claim>) {
            return email_claims_;
        } else {
            static_assert(std::is_same_v<Account, title_claim>);
            return title_claims_;
        }
    }

    /// Calls fn(const pointer&) for each; tombstones are left out.
    template <class Function>
    void for_each_user_of(tenant_id owner, Function fn) const {
        for_each_in(users_of_, owner, users_, fn);
    }
    template <class Function>
    void for_each_customer_of(tenant_id owner, Function fn) const {
        for_each_in(customers_of_, owner, customers_, fn);
    }
    template <class Function>
    void for_each_api_key_of(user_id holder, Function fn) const {
        for_each_in(api_keys_of_, holder, api_keys_, fn);
    }

private:
    struct digest_hash {
        std::size_t operator()(const sha256_digest& digest) const noexcept;
    };
    template <class Owner, class Id>
    using groups = std::unordered_map<Owner, std::unordered_set<Id>>;

    template <class Groups, class Owner, class Table, class Function>
    static void for_each_in(const Groups& where, const Owner& owner, const Table& table, Function& fn) {
        const auto group = where.find(owner);
        if (group == where.end()) return;
        for (const auto& id : group->second) {
            fn(table.find(id)->second);
        }
    }

    table<tenant_id, tenant> tenants_;
    table<customer_id, customer> customers_;
    table<user_id, user> users_;
    table<api_key_id, api_key> api_keys_;
    table<std::string, ended_session> sessions_;
    table<std::string, spent_token> spent_tokens_;
    table<std::string, email_claim> email_claims_;
    table<std::string, title_claim> title_claims_;
    std::unordered_map<std::string, user_id> emails_;
    std::unordered_map<sha256_digest, api_key_id, digest_hash> key_hashes_;
    groups<tenant_id, user_id> users_of_;
    groups<tenant_id, customer_id> customers_of_;
    groups<user_id, api_key_id> api_keys_of_;
};

}  // namespace gallery::accounts
