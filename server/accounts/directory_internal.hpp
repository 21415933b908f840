// SPDX-License-Identifier: Apache-2.0
/// What the files of the directory have in common. Private to it.
#pragma once

#include "accounts/directory.hpp"

#include <gallery/mutex.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace gallery::accounts {

/// How often a write is tried again after another process was faster.
inline constexpr int write_attempts = 5;

/// Whether tokens and keys that were verified against @p before must be verified again.
template <class Account>
bool must_reverify(const Account& /*before*/, const Account& /*after*/) {
    return false;
}
bool must_reverify(const user& before, const user& after);
bool must_reverify(const tenant& before, const tenant& after);
bool must_reverify(const tenant_profile& before, const tenant_profile& after);
bool must_reverify(const api_key& before, const api_key& after);
inline bool must_reverify(const ended_session& /*before*/, const ended_session& /*after*/) {
    return true;
}

inline error conflict() {
    return {errc::version_conflict,
            "The account was changed by another request in the meantime. Read it again"};
}

inline bool is_conflict(const error& e) noexcept {
    return e.code == errc::version_conflict;
}

/// A tombstone is no account.
template <class Account>
bool is_tombstone(const Account& value) {
    if constexpr (requires { value.deleted; }) {
        return value.deleted;
    } else {
        return false;
    }
}

template <class Account, class Key>
directory::pointer<Account> directory::find(const Key& key) const {
    const shared_lock lock(tables_mutex_);
    return tables_->find<Account>(key);
}

template <class Account>
void directory::install(pointer<Account> value, bool reverify) {
    {
        const lock_guard lock(tables_mutex_);
        tables_->put(std::move(value));
    }
    // Memory first, then the epoch: who sees the new epoch verifies against the new state.
    if (reverify) epoch_.bump();
}

template <class Account>
void directory::forget(const Account& value, bool reverify) {
    {
        const lock_guard lock(tables_mutex_);
        tables_->remove(value);
    }
    if (reverify) epoch_.bump();
}

}  // namespace gallery::accounts
