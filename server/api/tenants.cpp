// SPDX-License-Identifier: Apache-2.0
// Tenants: managed by system administrators; a tenant's administrator may read the own one.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"

#include <string>
#include <utility>

namespace gallery::api {
namespace {

task<result<http::response>> save(const account_services& services, accounts::system_administrator who,
                                  http::request& message) {
    auto sent = co_await read_json(message, parse_tenant);
    if (!sent) co_return sent.error();
    auto saved = co_await services.tenants.save(std::move(who), std::move(*sent));
    if (!saved) co_return saved.error();
    co_return http::response::json(200, tenant_json(**saved));
}

task<result<http::response>> find(const account_services& services, accounts::administrator who,
                                  http::request& message) {
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    const auto found = services.tenants.find(who, tenant_id{*id});
    if (!found) co_return found.error();
    co_return http::response::json(200, tenant_json(**found));
}

/// Ours: what deleting the tenant deletes with it.
task<result<http::response>> contents(const account_services& services, accounts::system_administrator who,
                                      http::request& message) {
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    const auto has = co_await services.tenants.contents(std::move(who), tenant_id{*id});
    if (!has) co_return has.error();
    boost::json::object counts;
    counts["images"] = has->images;
    counts["users"] = has->users;
    counts["customers"] = has->customers;
    counts["apiKeys"] = has->api_keys;
    co_return http::response::json(200, counts);
}

task<result<http::response>> erase(const account_services& services, accounts::system_administrator who,
                                   http::request& message) {
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    auto done = co_await services.tenants.erase(std::move(who), tenant_id{*id});
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

template <auto Member>
sort_key contact_key(const accounts::tenant& one) {
    return {one.reach.*Member};
}

using accounts::contact;
constexpr sort_column<accounts::tenant> columns[] = {
    {"createdTime", key_of_member<&accounts::tenant::created_time>},
    {"title", key_of_member<&accounts::tenant::title>},
    {"email", contact_key<&contact::email>},
    {"country", contact_key<&contact::country>},
    {"state", contact_key<&contact::state>},
    {"city", contact_key<&contact::city>},
    {"address", contact_key<&contact::address>},
    {"address2", contact_key<&contact::address2>},
    {"zip", contact_key<&contact::zip>},
    {"phone", contact_key<&contact::phone>},
};

constexpr account_listing<accounts::tenant> listing{
    columns, &accounts::tenant::title,
    [](const accounts::tenant& one, std::int64_t) { return tenant_json(one); }};

task<result<http::response>> list(const account_services& services, accounts::system_administrator who,
                                  http::request& message) {
    return account_page(services.background, who.who().tenant, message, services.tenants.list(who), listing);
}

constexpr endpoint<account_services> endpoints[] = {
    {http::method::post, "/api/tenant", "tenant.save", body_kind::json,
     allow<accounts::system_administrator, save>},
    {http::method::get, "/api/tenant/{tenantId}", "tenant.find", body_kind::none,
     allow<accounts::administrator, find>},
    {http::method::delete_, "/api/tenant/{tenantId}", "tenant.delete", body_kind::none,
     allow<accounts::system_administrator, erase>},
    {http::method::get, "/api/tenant/{tenantId}/contents", "tenant.contents", body_kind::none,
     allow<accounts::system_administrator, contents>},
    {http::method::get, "/api/tenants", "tenant.list", body_kind::none,
     allow<accounts::system_administrator, list>},
};

}  // namespace

account_endpoints tenant_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api
