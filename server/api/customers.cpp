// Customers: kept by the tenant's administrators; a customer's user may look at the own one.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "auth/encoding.hpp"
#include "http/errors.hpp"
#include "http/query.hpp"

#include <string>
#include <utility>

namespace gallery::api {
namespace {

using auth::authority;

error not_found(const uuid& id) {
    return {errc::not_found, "Customer with id [" + to_string(id) + "] is not found"};
}

/// What to do about a title that is taken: nameConflictPolicy, uniquifySeparator, uniquifyStrategy.
struct conflict_policy {
    bool uniquify = false;
    bool incremental = false;
    std::string separator = "_";
};

result<std::string> choice(const http::query_view& query, const char* name, std::string_view first,
                           std::string_view second) {
    const auto value = query.get(name);
    if (!value) return value.error();
    if (!*value || (*value)->empty()) return std::string(first);
    if (**value != first && **value != second) {
        return error{errc::invalid_argument, "Parameter '" + std::string(name) + "' is '" +
                                                 (*value)->substr(0, 80) + "'. It takes " +
                                                 std::string(first) + " or " + std::string(second) + "."};
    }
    return **value;
}

result<conflict_policy> parse_policy(const http::request& message) {
    const http::query_view query(message.query());
    conflict_policy out;
    const auto policy = choice(query, "nameConflictPolicy", "FAIL", "UNIQUIFY");
    if (!policy) return policy.error();
    out.uniquify = *policy == "UNIQUIFY";
    const auto strategy = choice(query, "uniquifyStrategy", "RANDOM", "INCREMENTAL");
    if (!strategy) return strategy.error();
    out.incremental = *strategy == "INCREMENTAL";
    const auto separator = query.get("uniquifySeparator");
    if (!separator) return separator.error();
    if (*separator) out.separator = **separator;
    if (out.separator.size() > 16) {
        return error{errc::invalid_argument, "Parameter 'uniquifySeparator' has more than 16 bytes."};
    }
    return out;
}

task<result<http::response>> save(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::tenant_admin});
    if (!who) co_return who.error();
    const auto policy = parse_policy(message);
    if (!policy) co_return policy.error();
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    auto sent = parse_customer(*body);
    if (!sent) co_return sent.error();
    const auto title = sent->value.title;
    const auto owner = (*who)->tenant;
    if (sent->id) {
        const auto known = services.accounts.find_customer(customer_id{*sent->id});
        if (!known) co_return not_found(*sent->id);
        if (known->owner != owner) co_return permission_denied();
    }
    for (int attempt = 0;; ++attempt) {
        result<auth::customer_ptr> saved = error{};
        if (sent->id) {
            const customer_id id{*sent->id};
            auth::directory::edit<auth::customer> how = [given =
                                                             *sent](auth::customer& value) -> result<void> {
                if (const auto current = check_version(given.version, value.version); !current)
                    return current;
                value.title = given.value.title;
                value.reach = given.value.reach;
                value.additional_info = given.value.additional_info;
                return {};
            };
            saved = co_await services.accounts.change_customer(id, std::move(how));
        } else {
            auto next = sent->value;
            next.owner = owner;
            saved = co_await services.accounts.create(std::move(next));
        }
        if (saved) co_return http::response::json(200, customer_json(**saved));
        if (saved.error().code != errc::already_exists || !policy->uniquify || attempt == 1000) {
            co_return saved.error();
        }
        sent->value.title =
            title + policy->separator +
            (policy->incremental ? std::to_string(attempt + 1) : auth::random_alphanumerics(6));
    }
}

/// The customer in the path, if this principal may look at it.
result<auth::customer_ptr> visible(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::tenant_admin, authority::customer_user});
    if (!who) return who.error();
    const auto id = id_parameter(message, 0, "customerId");
    if (!id) return id.error();
    auto found = services.accounts.find_customer(customer_id{*id});
    if (!found) return not_found(*id);
    const bool own = (*who)->role == authority::tenant_admin ? found->owner == (*who)->tenant
                                                             : found->id == (*who)->customer;
    if (!own) return permission_denied();
    return found;
}

task<result<http::response>> find(const account_services& services, http::request& message) {
    const auto found = visible(services, message);
    if (!found) co_return found.error();
    co_return http::response::json(200, customer_json(**found));
}

task<result<http::response>> erase(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::tenant_admin});
    if (!who) co_return who.error();
    const auto found = visible(services, message);
    if (!found) co_return found.error();
    auto done = co_await services.accounts.delete_customer((*found)->id);
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> list(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::tenant_admin});
    if (!who) co_return who.error();
    const auto page = parse_page_request(message, {"createdTime", "title", "email", "country", "city"});
    if (!page) co_return page.error();
    const auto text = [](const auth::customer& one, std::string_view property) -> std::string {
        if (property == "title") return one.title;
        if (property == "email") return one.reach.email;
        if (property == "country") return one.reach.country;
        if (property == "city") return one.reach.city;
        return {};
    };
    const auto number = [](const auth::customer& one, std::string_view property) {
        return property == "createdTime" ? one.created_time : 0;
    };
    auto items = account_page(
        services.accounts.customers_of((*who)->tenant), *page,
        [](const auth::customer& one) { return one.title; }, text, number,
        [](const auth::customer& one) { return customer_json(one); });
    auto answer = page_response(std::move(items), page->bounds);
    co_return co_await std::move(answer);
}

}  // namespace

void add_customer_routes(http::router& routes, const account_services& services) {
    using http::method;
    add_endpoint(routes, services, method::post, "/api/customer", "customer.save", save, max_account_body);
    add_endpoint(routes, services, method::get, "/api/customer/{customerId}", "customer.find", find);
    add_endpoint(routes, services, method::delete_, "/api/customer/{customerId}", "customer.delete", erase);
    add_endpoint(routes, services, method::get, "/api/customers", "customer.list", list);
}

}  // namespace gallery::api
