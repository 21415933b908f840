// SPDX-License-Identifier: Apache-2.0
/// What a client sent in place of an account.
#pragma once

#include "accounts/accounts.hpp"

#include <gallery/error.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace gallery::accounts {

/// id: absent means a new account. version: where it is given, the account must still be at it.
template <class Account>
struct submitted {
    std::optional<uuid> id;
    std::optional<std::int64_t> version;
    Account value;
};

struct submitted_user {
    std::optional<uuid> id;
    std::optional<std::int64_t> version;
    std::optional<uuid> tenant;    ///< also absent where it is the system's
    std::optional<uuid> customer;  ///< also absent where it is ThingsBoard's null id
    user value;                    ///< names, email, role, additional_info
};

struct submitted_api_key {
    std::optional<uuid> id;
    std::optional<uuid> user;
    std::string description;
    std::optional<bool> enabled;
    std::optional<std::int64_t> expiration_time;
};

/// Error: version_conflict where a version was given and is not the current one.
result<void> check_version(const std::optional<std::int64_t>& given, std::int64_t current);

/// An edit of the directory that replaces these members of an account by those that were sent.
template <class Account, class... Values>
std::function<result<void>(Account&)> replace_members(submitted<Account> sent, Values Account::*... members) {
    return [given = std::move(sent), members...](Account& value) -> result<void> {
        if (const auto current = check_version(given.version, value.version); !current) return current;
        ((value.*members = given.value.*members), ...);
        return {};
    };
}

}  // namespace gallery::accounts
