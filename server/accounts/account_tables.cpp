// SPDX-License-Identifier: Apache-2.0
#include "accounts/account_tables.hpp"

#include <gallery/text.hpp>

#include <cstring>
#include <utility>

namespace gallery::accounts {
namespace {

template <class Groups, class Owner, class Id>
void leave_group(Groups& groups, const Owner& owner, const Id& id) {
    const auto group = groups.find(owner);
    if (group == groups.end()) return;
    group->second.erase(id);
    if (group->second.empty()) groups.erase(group);
}

}  // namespace

std::string folded_email(std::string_view email) {
    return fold_case(email);
}

std::size_t account_tables::digest_hash::operator()(const sha256_digest& digest) const noexcept {
    std::size_t word = 0;
    std::memcpy(&word, digest.data(), sizeof word);
    return word;
}

user_ptr account_tables::find_by_email(std::string_view email) const {
    const auto found = emails_.find(folded_email(email));
    return found == emails_.end() ? nullptr : users_.find(found->second)->second;
}

api_key_ptr account_tables::find_by_hash(const sha256_digest& hash) const {
    const auto found = key_hashes_.find(hash);
    return found == key_hashes_.end() ? nullptr : api_keys_.find(found->second)->second;
}

void account_tables::put(pointer<tenant> value) {
    tenants_[value->id] = std::move(value);
}

void account_tables::put(pointer<customer> value) {
    customers_of_[value->owner].insert(value->id);
    customers_[value->id] = std::move(value);
}

void account_tables::put(pointer<user> value) {
    if (const auto known = users_.find(value->id); known != users_.end()) remove(*known->second);
    if (!value->deleted) {
        emails_[folded_email(value->email)] = value->id;
        users_of_[value->owner].insert(value->id);
    }
    users_[value->id] = std::move(value);
}

void account_tables::put(pointer<api_key> value) {
    if (const auto known = api_keys_.find(value->id); known != api_keys_.end()) remove(*known->second);
    key_hashes_[value->hash] = value->id;
    api_keys_of_[value->holder].insert(value->id);
    api_keys_[value->id] = std::move(value);
}

void account_tables::put(pointer<ended_session> value) {
    sessions_[value->id] = std::move(value);
}
void account_tables::put(pointer<spent_token> value) {
    spent_tokens_[value->id] = std::move(value);
}
void account_tables::put(pointer<email_claim> value) {
    email_claims_[value->id] = std::move(value);
}
void account_tables::put(pointer<title_claim> value) {
    title_claims_[value->id] = std::move(value);
}

// The argument may live in the very table it is removed from: what is needed of it is copied first.

void account_tables::remove(const tenant& value) {
    const auto id = value.id;
    tenants_.erase(id);
}

void account_tables::remove(const customer& value) {
    const auto id = value.id;
    leave_group(customers_of_, value.owner, id);
    customers_.erase(id);
}

void account_tables::remove(const user& value) {
    const auto id = value.id;
    if (!value.deleted) {
        const auto email = emails_.find(folded_email(value.email));
        if (email != emails_.end() && email->second == id) emails_.erase(email);
        leave_group(users_of_, value.owner, id);
    }
    users_.erase(id);
}

void account_tables::remove(const api_key& value) {
    const auto id = value.id;
    const auto hash = key_hashes_.find(value.hash);
    if (hash != key_hashes_.end() && hash->second == id) key_hashes_.erase(hash);
    leave_group(api_keys_of_, value.holder, id);
    api_keys_.erase(id);
}

void account_tables::remove(const ended_session& value) {
    const auto id = value.id;
    sessions_.erase(id);
}

void account_tables::remove(const spent_token& value) {
    const auto id = value.id;
    spent_tokens_.erase(id);
}

void account_tables::remove(const email_claim& value) {
    const auto id = value.id;
    email_claims_.erase(id);
}

void account_tables::remove(const title_claim& value) {
    const auto id = value.id;
    title_claims_.erase(id);
}

}  // namespace gallery::accounts
