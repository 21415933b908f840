// SPDX-License-Identifier: Apache-2.0
#include "accounts/tenants.hpp"

#include <memory>
#include <string>
#include <utility>

namespace gallery::accounts {
namespace {

error not_found(tenant_id id) {
    return {errc::not_found, "Tenant with id [" + to_string(id) + "] is not found"};
}

}  // namespace

tenants::tenants(directory& all, tenant_images_eraser erase_images, count_tenant_images count_images,
                 bool adopts)
    : all_(all),
      erase_images_(std::move(erase_images)),
      count_images_(std::move(count_images)),
      adopts_(adopts) {}

result<void> tenants::may_adopt(tenant_id id) const {
    if (id.value.is_nil() || id == system_tenant)
        return error{errc::invalid_argument, "The id [" + to_string(id) + "] is not that of a tenant"};
    if (all_.is_tenant_deleted(id))
        return error{errc::not_found, "Tenant with id [" + to_string(id) +
                                          "] was deleted here, and its id cannot be used again"};
    return {};
}

task<result<tenant_ptr>> tenants::save(system_administrator /*who*/, submitted<tenant> sent) {
    if (sent.id) sent.value.id = tenant_id{*sent.id};
    // A client that has read the tenant before sends its version, and is told that the tenant does not exist
    // any more.
    const bool adopted = adopts_ && sent.id && !sent.version && !all_.find_tenant(sent.value.id);
    if (adopted) {
        if (auto may = may_adopt(sent.value.id); !may) co_return may.error();
    }
    const bool is_new = !sent.id || adopted;
    auto stored = co_await store(std::move(sent), is_new);
    if (!stored) co_return stored;
    co_return with_profile(std::move(*stored));
}

task<result<tenant_ptr>> tenants::store(submitted<tenant> sent, bool is_new) {
    if (is_new) {
        if (!sent.value.profile) {
            auto usual = co_await all_.ensure_default_profile();
            if (!usual) co_return usual.error();
            sent.value.profile = (*usual)->id;
        }
        co_return co_await all_.create(std::move(sent.value));
    }
    const auto id = sent.value.id;
    const auto profile = sent.value.profile;
    auto replace = replace_members(std::move(sent), &tenant::title, &tenant::region, &tenant::reach,
                                   &tenant::additional_info);
    directory::edit<tenant> how = [replace = std::move(replace), profile](tenant& value) -> result<void> {
        if (auto done = replace(value); !done) return done;
        if (profile) value.profile = profile;
        return {};
    };
    auto changed = co_await all_.change_tenant(id, std::move(how));
    co_return changed;
}

tenant_ptr tenants::with_profile(tenant_ptr found) const {
    const auto profile = all_.profile_of(*found);
    if (!profile || found->profile == profile->id) return found;
    auto completed = std::make_shared<tenant>(*found);
    completed->profile = profile->id;
    return completed;
}

result<tenant_ptr> tenants::find(const administrator& who, tenant_id id) const {
    if (who.who().role == auth::authority::tenant_admin && who.who().tenant != id) return permission_denied();
    auto found = all_.find_tenant(id);
    if (!found) return not_found(id);
    return with_profile(std::move(found));
}

task<result<tenant_contents>> tenants::contents(system_administrator /*who*/, tenant_id id) {
    if (!all_.find_tenant(id)) co_return not_found(id);
    const auto images = co_await count_images_(id);
    if (!images) co_return images.error();
    tenant_contents out;
    out.images = *images;
    out.customers = all_.customers_of(id).size();
    const auto users = all_.users_of(id);
    out.users = users.size();
    for (const auto& user : users)
        out.api_keys += all_.api_keys_of(user->id).size();
    co_return out;
}

task<result<void>> tenants::erase(system_administrator /*who*/, tenant_id id) {
    auto done = co_await all_.delete_tenant(id, erase_images_);
    co_return done;
}

std::vector<tenant_ptr> tenants::list(const system_administrator& /*who*/) const {
    auto all = all_.tenants();
    for (auto& each : all)
        each = with_profile(std::move(each));
    return all;
}

}  // namespace gallery::accounts
