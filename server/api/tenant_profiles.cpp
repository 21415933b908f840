// SPDX-License-Identifier: Apache-2.0
// Tenant profiles: managed by system administrators.
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "api/json_fields.hpp"
#include "api/tenant_profile_json.hpp"

#include <utility>

namespace gallery::api {
namespace {

using accounts::tenant_profile;

constexpr std::string_view id_name = "tenantProfileId";

result<accounts::tenant_profile_id> profile_id_of(const http::request& message) {
    const auto id = id_parameter(message, 0, id_name);
    if (!id) return id.error();
    return accounts::tenant_profile_id{*id};
}

task<result<http::response>> save_profile(const account_services& services,
                                          accounts::system_administrator who, http::request& message) {
    auto sent = co_await read_json(message, parse_tenant_profile);
    if (!sent) co_return sent.error();
    auto saved = co_await services.tenant_profiles.save(std::move(who), std::move(*sent));
    if (!saved) co_return saved.error();
    co_return http::response::json(200, tenant_profile_json(**saved));
}

task<result<http::response>> find_profile(const account_services& services,
                                          accounts::system_administrator who, http::request& message) {
    const auto id = profile_id_of(message);
    if (!id) co_return id.error();
    const auto found = services.tenant_profiles.find(who, *id);
    if (!found) co_return found.error();
    co_return http::response::json(200, tenant_profile_json(**found));
}

task<result<http::response>> find_profile_info(const account_services& services,
                                               accounts::system_administrator who, http::request& message) {
    const auto id = profile_id_of(message);
    if (!id) co_return id.error();
    const auto found = services.tenant_profiles.find(who, *id);
    if (!found) co_return found.error();
    co_return http::response::json(200, tenant_profile_info_json(**found));
}

task<result<http::response>> find_default_info(const account_services& services,
                                               accounts::system_administrator who,
                                               http::request& /*message*/) {
    const auto found = co_await services.tenant_profiles.find_default(std::move(who));
    if (!found) co_return found.error();
    co_return http::response::json(200, tenant_profile_info_json(**found));
}

task<result<http::response>> make_default(const account_services& services,
                                          accounts::system_administrator who, http::request& message) {
    const auto id = profile_id_of(message);
    if (!id) co_return id.error();
    auto done = co_await services.tenant_profiles.make_default(std::move(who), *id);
    if (!done) co_return done.error();
    co_return http::response::json(200, tenant_profile_json(**done));
}

task<result<http::response>> erase_profile(const account_services& services,
                                           accounts::system_administrator who, http::request& message) {
    const auto id = profile_id_of(message);
    if (!id) co_return id.error();
    auto done = co_await services.tenant_profiles.erase(std::move(who), *id);
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

sort_key key_of_default(const tenant_profile& one) {
    return {{}, one.is_default ? 1 : 0};
}
sort_key key_of_id(const tenant_profile& one) {
    return {to_string(one.id)};
}

constexpr sort_column<tenant_profile> profile_columns[] = {
    {"createdTime", key_of_member<&tenant_profile::created_time>},
    {"name", key_of_member<&tenant_profile::name>},
    {"description", key_of_member<&tenant_profile::description>},
    {"isDefault", key_of_default},
    {"id", key_of_id},
};

constexpr account_listing<tenant_profile> profile_listing{
    profile_columns, &tenant_profile::name,
    [](const tenant_profile& one, std::int64_t) { return tenant_profile_json(one); }};

constexpr account_listing<tenant_profile> info_listing{
    profile_columns, &tenant_profile::name,
    [](const tenant_profile& one, std::int64_t) { return tenant_profile_info_json(one); }};

task<result<http::response>> list_profiles(const account_services& services,
                                           accounts::system_administrator who, http::request& message) {
    return account_page(services.background, who.who().tenant, message, services.tenant_profiles.list(who),
                        profile_listing);
}

task<result<http::response>> list_profile_infos(const account_services& services,
                                                accounts::system_administrator who, http::request& message) {
    return account_page(services.background, who.who().tenant, message, services.tenant_profiles.list(who),
                        info_listing);
}

constexpr endpoint<account_services> profile_endpoints[] = {
    {http::method::post, "/api/tenantProfile", "tenantProfile.save", body_kind::json,
     allow<accounts::system_administrator, save_profile>},
    {http::method::get, "/api/tenantProfile/{tenantProfileId}", "tenantProfile.find", body_kind::none,
     allow<accounts::system_administrator, find_profile>},
    {http::method::delete_, "/api/tenantProfile/{tenantProfileId}", "tenantProfile.delete", body_kind::none,
     allow<accounts::system_administrator, erase_profile>},
    {http::method::post, "/api/tenantProfile/{tenantProfileId}/default", "tenantProfile.default",
     body_kind::none, allow<accounts::system_administrator, make_default>},
    {http::method::get, "/api/tenantProfiles", "tenantProfile.list", body_kind::none,
     allow<accounts::system_administrator, list_profiles>},
    {http::method::get, "/api/tenantProfileInfo/default", "tenantProfile.defaultInfo", body_kind::none,
     allow<accounts::system_administrator, find_default_info>},
    {http::method::get, "/api/tenantProfileInfo/{tenantProfileId}", "tenantProfile.info", body_kind::none,
     allow<accounts::system_administrator, find_profile_info>},
    {http::method::get, "/api/tenantProfileInfos", "tenantProfile.infos", body_kind::none,
     allow<accounts::system_administrator, list_profile_infos>},
};

}  // namespace

account_endpoints tenant_profile_endpoints() noexcept {
    return profile_endpoints;
}

}  // namespace gallery::api
