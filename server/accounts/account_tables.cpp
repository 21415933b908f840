// SPDX-License-Identifier: Apache-2.0
#include "accounts/account_tables.hpp"

#include <gallery/text.hpp>

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

user_ptr account_tables::find_by_email(std::string_view email) const {
    const auto found = emails_.find(folded_email(email));
    return found == emails_.end() ? nullptr : find<user>(found->second);
}

api_key_ptr account_tables::find_by_hash(const sha256_digest& hash) const {
    const auto found = key_hashes_.find(hash);
    return found == key_hashes_.end() ? nullptr : find<api_key>(found->second);
}

tenant_profile_ptr account_tables::profile_of(const tenant& value) const {
    if (value.profile) {
        if (auto known = find<tenant_profile>(*value.profile)) return known;
    }
    if (auto first = find<tenant_profile>(first_tenant_profile)) return first;
    return default_profile();
}

void account_tables::enter_indexes(const tenant_profile& value) {
    if (value.is_default) default_profile_ = value.id;
}

void account_tables::enter_indexes(const tenant& value) {
    if (value.is_deleted() && !value.images_erased) open_deletions_.insert(value.id);
}

void account_tables::leave_indexes(const tenant& value) {
    open_deletions_.erase(value.id);
}

void account_tables::enter_indexes(const customer& value) {
    customers_of_[value.owner].insert(value.id);
}

void account_tables::leave_indexes(const customer& value) {
    leave_group(customers_of_, value.owner, value.id);
}

void account_tables::enter_indexes(const user& value) {
    if (value.deleted) return;
    emails_[folded_email(value.email)] = value.id;
    users_of_[value.owner].insert(value.id);
}

void account_tables::leave_indexes(const user& value) {
    if (value.deleted) return;
    const auto email = emails_.find(folded_email(value.email));
    if (email != emails_.end() && email->second == value.id) emails_.erase(email);
    leave_group(users_of_, value.owner, value.id);
}

void account_tables::enter_indexes(const api_key& value) {
    key_hashes_[value.hash] = value.id;
    api_keys_of_[value.holder].insert(value.id);
}

void account_tables::leave_indexes(const api_key& value) {
    const auto hash = key_hashes_.find(value.hash);
    if (hash != key_hashes_.end() && hash->second == value.id) key_hashes_.erase(hash);
    leave_group(api_keys_of_, value.holder, value.id);
}

}  // namespace gallery::accounts
