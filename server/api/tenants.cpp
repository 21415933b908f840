// SPDX-License-Identifier: Apache-2.0
// Tenants: managed by system administrators; a tenant's administrator may read the own one.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "http/errors.hpp"

#include <string>
#include <utility>

namespace gallery::api {
namespace {

task<result<http::response>> save(const account_services& services, http::request& message) {
    auto who = require<accounts::system_administrator>(services, message);
    if (!who) co_return who.error();
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    auto sent = parse_tenant(*body);
    if (!sent) co_return sent.error();
    auto saved = co_await services.tenants.save(std::move(*who), std::move(*sent));
    if (!saved) co_return saved.error();
    co_return http::response::json(200, tenant_json(**saved));
}

task<result<http::response>> find(const account_services& services, http::request& message) {
    const auto who = require<accounts::administrator>(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    const auto found = services.tenants.find(*who, tenant_id{*id});
    if (!found) co_return found.error();
    co_return http::response::json(200, tenant_json(**found));
}

/// Ours: what deleting the tenant deletes with it.
task<result<http::response>> contents(const account_services& services, http::request& message) {
    auto who = require<accounts::system_administrator>(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    const auto has = co_await services.tenants.contents(std::move(*who), tenant_id{*id});
    if (!has) co_return has.error();
    boost::json::object counts;
    counts["images"] = has->images;
    counts["users"] = has->users;
    counts["customers"] = has->customers;
    counts["apiKeys"] = has->api_keys;
    co_return http::response::json(200, counts);
}

task<result<http::response>> erase(const account_services& services, http::request& message) {
    auto who = require<accounts::system_administrator>(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    auto done = co_await services.tenants.erase(std::move(*who), tenant_id{*id});
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> list(const account_services& services, http::request& message) {
    const auto who = require<accounts::system_administrator>(services, message);
    if (!who) co_return who.error();
    const auto page = parse_page_request(message, {"createdTime", "title", "email", "country", "state",
                                                   "city", "address", "address2", "zip", "phone"});
    if (!page) co_return page.error();
    const auto text = [](const accounts::tenant& one, std::string_view property) -> std::string {
        if (property == "title") return one.title;
        if (property == "email") return one.reach.email;
        if (property == "country") return one.reach.country;
        if (property == "state") return one.reach.state;
        if (property == "city") return one.reach.city;
        if (property == "address") return one.reach.address;
        if (property == "address2") return one.reach.address2;
        if (property == "zip") return one.reach.zip;
        if (property == "phone") return one.reach.phone;
        return {};
    };
    const auto number = [](const accounts::tenant& one, std::string_view property) {
        return property == "createdTime" ? one.created_time : 0;
    };
    auto items = account_page(
        services.tenants.list(*who), *page, [](const accounts::tenant& one) { return one.title; }, text,
        number, [](const accounts::tenant& one) { return tenant_json(one); });
    auto answer = page_response(std::move(items), page->bounds);
    co_return co_await std::move(answer);
}

}  // namespace

void add_tenant_routes(http::router& routes, const account_services& services) {
    using http::method;
    add_endpoint(routes, services, method::post, "/api/tenant", "tenant.save", save, max_account_body);
    add_endpoint(routes, services, method::get, "/api/tenant/{tenantId}", "tenant.find", find);
    add_endpoint(routes, services, method::delete_, "/api/tenant/{tenantId}", "tenant.delete", erase);
    add_endpoint(routes, services, method::get, "/api/tenant/{tenantId}/contents", "tenant.contents",
                 contents);
    add_endpoint(routes, services, method::get, "/api/tenants", "tenant.list", list);
}

}  // namespace gallery::api
