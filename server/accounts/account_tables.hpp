// SPDX-License-Identifier: Apache-2.0
/// All accounts in memory, with their indexes.
///
/// Not synchronised: the directory guards it. Objects are replaced, never changed.
#pragma once

#include "accounts/account_documents.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace gallery::accounts {

/// The form in which email addresses are compared: case-folded.
std::string folded_email(std::string_view email);

/// The id of the first profile on every server, so that servers that start at the same time create one.
inline constexpr tenant_profile_id first_tenant_profile{
    uuid{0x67, 0x61, 0x6c, 0x6c, 0x65, 0x72, 0x40, 0x79, 0x80, 0x70, 0x72, 0x6f, 0x66, 0x00, 0x00, 0x01}};

class account_tables {
public:
    template <class Account>
    using pointer = std::shared_ptr<const Account>;

    /// Null if there is none. Also finds tombstones.
    template <class Account, class Key>
    [[nodiscard]] pointer<Account> find(const Key& key) const {
        const auto& where = of<Account>();
        const auto found = where.find(key);
        return found == where.end() ? nullptr : found->second;
    }
    [[nodiscard]] user_ptr find_by_email(std::string_view email) const;
    [[nodiscard]] api_key_ptr find_by_hash(const sha256_digest& hash) const;

    /// Its own profile. A tenant of an earlier version has none that is known: it has the first one, and
    /// keeps that when another one becomes the default. Otherwise the default one; null if there is none.
    [[nodiscard]] tenant_profile_ptr profile_of(const tenant& value) const;
    /// Null if there is none.
    [[nodiscard]] tenant_profile_ptr default_profile() const {
        return find<tenant_profile>(default_profile_);
    }

    /// In place of what has the same id.
    template <class Account>
    void put(pointer<Account> value) {
        if (const auto known = find<Account>(value->id)) leave_indexes(*known);
        enter_indexes(*value);
        const auto& id = value->id;
        all_of<Account>().insert_or_assign(id, std::move(value));
    }

    template <class Account>
    void remove(const Account& value) {
        // The argument may live in the very table that it is removed from.
        const auto id = value.id;
        if (const auto known = find<Account>(id)) leave_indexes(*known);
        all_of<Account>().erase(id);
    }

    /// Everything of a type, by id.
    template <class Account>
    [[nodiscard]] const auto& of() const noexcept {
        return std::get<table_of<Account>>(tables_);
    }

    /// Calls fn(const pointer&) for each; tombstones are left out.
    template <class Function>
    void for_each_user_of(tenant_id owner, Function fn) const {
        for_each_in(users_of_, owner, of<user>(), fn);
    }
    template <class Function>
    void for_each_customer_of(tenant_id owner, Function fn) const {
        for_each_in(customers_of_, owner, of<customer>(), fn);
    }
    template <class Function>
    void for_each_api_key_of(user_id holder, Function fn) const {
        for_each_in(api_keys_of_, holder, of<api_key>(), fn);
    }

    /// Calls fn(const tenant_ptr&) for each tenant whose deletion is in progress, or whose images may not all
    /// be erased.
    template <class Function>
    void for_each_open_deletion(Function fn) const {
        for (const auto& id : open_deletions_)
            fn(of<tenant>().find(id)->second);
    }

private:
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

    template <class Account>
    using table_of = std::unordered_map<decltype(Account::id), pointer<Account>>;

    template <class Account>
    [[nodiscard]] auto& all_of() noexcept {
        return std::get<table_of<Account>>(tables_);
    }

    void enter_indexes(const tenant_profile& value);
    void enter_indexes(const tenant& value);
    void enter_indexes(const customer& value);
    void enter_indexes(const user& value);
    void enter_indexes(const api_key& value);
    void leave_indexes(const tenant& value);
    void leave_indexes(const customer& value);
    void leave_indexes(const user& value);
    void leave_indexes(const api_key& value);
    template <class Account>
    void enter_indexes(const Account& /*value*/) {}
    template <class Account>
    void leave_indexes(const Account& /*value*/) {}

    template <class Types>
    struct tables_of;
    template <class... Accounts>
    struct tables_of<std::tuple<Accounts...>> {
        using type = std::tuple<table_of<Accounts>...>;
    };

    tables_of<stored_types>::type tables_;
    /// The profile that became the default one last. It remains so until another one does: another server
    /// changes both in one step, but the feed brings one after the other.
    tenant_profile_id default_profile_;
    std::unordered_map<std::string, user_id> emails_;
    std::unordered_map<sha256_digest, api_key_id, digest_hash> key_hashes_;
    groups<tenant_id, user_id> users_of_;
    groups<tenant_id, customer_id> customers_of_;
    groups<user_id, api_key_id> api_keys_of_;
    std::unordered_set<tenant_id> open_deletions_;
};

}  // namespace gallery::accounts
