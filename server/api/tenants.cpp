// Tenants: kept by system administrators; a tenant's administrator may look at the own one.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "http/errors.hpp"

#include <string>
#include <utility>

namespace gallery::api {
namespace {

using auth::authority;

error not_found(const uuid& id) {
    return {errc::not_found, "Tenant with id [" + to_string(id) + "] is not found"};
}

/// **Ours**: an id that is not known here is that of a tenant of the ThingsBoard server with our signing key,
/// which is adopted: it gets an account here, so that it can have users and API keys and can be deleted. What
/// its users have uploaded by then is its own already. A client that has read the tenant before sends its
/// version, and is told that it is gone.
result<void> adopt(const account_services& services, submitted<auth::tenant>& sent) {
    const tenant_id id{*sent.id};
    if (id.value.is_nil() || id == system_tenant)
        return error{errc::invalid_argument, "The id [" + to_string(id) + "] is not that of a tenant"};
    if (services.accounts.tenant_gone(id))
        return error{errc::not_found, "Tenant with id [" + to_string(id) +
                                          "] was deleted here, so that its id cannot be used again"};
    sent.value.id = id;
    return {};
}

task<result<http::response>> save(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::sys_admin});
    if (!who) co_return who.error();
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    auto sent = parse_tenant(*body);
    if (!sent) co_return sent.error();
    if (services.adopts_tenants && sent->id && !sent->version &&
        !services.accounts.find_tenant(tenant_id{*sent->id})) {
        if (auto may = adopt(services, *sent); !may) co_return may.error();
        sent->id.reset();
    }
    if (!sent->id) {
        auto made = co_await services.accounts.create(std::move(sent->value));
        if (!made) co_return made.error();
        co_return http::response::json(200, tenant_json(**made));
    }
    const tenant_id id{*sent->id};
    auth::directory::edit<auth::tenant> how = [given =
                                                   std::move(*sent)](auth::tenant& value) -> result<void> {
        if (const auto current = check_version(given.version, value.version); !current) return current;
        value.title = given.value.title;
        value.region = given.value.region;
        value.reach = given.value.reach;
        value.profile = given.value.profile;
        value.additional_info = given.value.additional_info;
        return {};
    };
    auto changed = co_await services.accounts.change_tenant(id, std::move(how));
    if (!changed) co_return changed.error();
    co_return http::response::json(200, tenant_json(**changed));
}

task<result<http::response>> find(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::sys_admin, authority::tenant_admin});
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    if ((*who)->role == authority::tenant_admin && (*who)->tenant.value != *id) co_return permission_denied();
    const auto found = services.accounts.find_tenant(tenant_id{*id});
    if (!found) co_return not_found(*id);
    co_return http::response::json(200, tenant_json(*found));
}

/// Ours: what deleting the tenant deletes with it.
task<result<http::response>> contents(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::sys_admin});
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    const tenant_id tenant{*id};
    if (!services.accounts.find_tenant(tenant)) co_return not_found(*id);
    const auto images = co_await services.count_images(tenant);
    if (!images) co_return images.error();
    const auto users = services.accounts.users_of(tenant);
    std::size_t keys = 0;
    for (const auto& user : users)
        keys += services.accounts.api_keys_of(user->id).size();
    boost::json::object counts;
    counts["images"] = *images;
    counts["users"] = users.size();
    counts["customers"] = services.accounts.customers_of(tenant).size();
    counts["apiKeys"] = keys;
    co_return http::response::json(200, counts);
}

task<result<http::response>> erase(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::sys_admin});
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    auto done = co_await services.accounts.delete_tenant(tenant_id{*id}, services.erase_images);
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> list(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::sys_admin});
    if (!who) co_return who.error();
    const auto page = parse_page_request(message, {"createdTime", "title", "email", "country", "state",
                                                   "city", "address", "address2", "zip", "phone"});
    if (!page) co_return page.error();
    const auto text = [](const auth::tenant& one, std::string_view property) -> std::string {
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
    const auto number = [](const auth::tenant& one, std::string_view property) {
        return property == "createdTime" ? one.created_time : 0;
    };
    auto items = account_page(
        services.accounts.tenants(), *page, [](const auth::tenant& one) { return one.title; }, text, number,
        [](const auth::tenant& one) { return tenant_json(one); });
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
