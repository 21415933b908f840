// SPDX-License-Identifier: Apache-2.0
#include "accounts/tenant_profiles.hpp"

#include "accounts/profile_data.hpp"

#include <utility>

namespace gallery::accounts {

task<result<tenant_profile_ptr>> tenant_profiles::save(system_administrator /*who*/, submitted_profile sent) {
    // Without one, the first profile that is created could take its name.
    auto present = co_await all_.ensure_default_profile();
    if (!present) co_return present.error();
    tenant_profile next;
    if (auto done = set_data(next, sent.data); !done) co_return done.error();
    next.name = std::move(sent.name);
    next.description = std::move(sent.description);
    next.is_default = sent.is_default;
    next.isolated_rule_engine = sent.isolated_rule_engine;
    if (!sent.id) co_return co_await all_.create(std::move(next));
    directory::edit<tenant_profile> how = [next = std::move(next)](tenant_profile& value) -> result<void> {
        value.name = next.name;
        value.description = next.description;
        value.is_default = value.is_default || next.is_default;
        value.isolated_rule_engine = next.isolated_rule_engine;
        value.data = next.data;
        value.limits = next.limits;
        value.ignored_limits.clear();
        return {};
    };
    auto changed = co_await all_.change_profile(tenant_profile_id{*sent.id}, std::move(how));
    co_return changed;
}

result<tenant_profile_ptr> tenant_profiles::find(const system_administrator& /*who*/,
                                                 tenant_profile_id id) const {
    auto found = all_.find_profile(id);
    if (!found) return error{errc::not_found, "Tenant profile with id [" + to_string(id) + "] is not found"};
    return found;
}

task<result<tenant_profile_ptr>> tenant_profiles::find_default(system_administrator /*who*/) {
    auto found = co_await all_.ensure_default_profile();
    co_return found;
}

task<result<tenant_profile_ptr>> tenant_profiles::make_default(system_administrator /*who*/,
                                                               tenant_profile_id id) {
    auto done = co_await all_.make_default(id);
    co_return done;
}

task<result<void>> tenant_profiles::erase(system_administrator /*who*/, tenant_profile_id id) {
    auto done = co_await all_.delete_profile(id);
    co_return done;
}

std::vector<tenant_profile_ptr> tenant_profiles::list(const system_administrator& /*who*/) const {
    return all_.profiles();
}

}  // namespace gallery::accounts
