// SPDX-License-Identifier: Apache-2.0
// Customers: managed by the tenant's administrators; a customer's user may read the own one.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "http/errors.hpp"
#include "http/query.hpp"

#include <string>
#include <utility>

namespace gallery::api {
namespace {

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

result<accounts::title_policy> parse_policy(const http::request& message) {
    const http::query_view query(message.query());
    accounts::title_policy out;
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
    auto who = require<accounts::tenant_administrator>(services, message);
    if (!who) co_return who.error();
    auto policy = parse_policy(message);
    if (!policy) co_return policy.error();
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    auto sent = parse_customer(*body);
    if (!sent) co_return sent.error();
    auto saved = co_await services.customers.save(std::move(*who), std::move(*sent), std::move(*policy));
    if (!saved) co_return saved.error();
    co_return http::response::json(200, customer_json(**saved));
}

task<result<http::response>> find(const account_services& services, http::request& message) {
    const auto who = require<accounts::tenant_member>(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "customerId");
    if (!id) co_return id.error();
    const auto found = services.customers.find(*who, customer_id{*id});
    if (!found) co_return found.error();
    co_return http::response::json(200, customer_json(**found));
}

task<result<http::response>> erase(const account_services& services, http::request& message) {
    auto who = require<accounts::tenant_administrator>(services, message);
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "customerId");
    if (!id) co_return id.error();
    auto done = co_await services.customers.erase(std::move(*who), customer_id{*id});
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> list(const account_services& services, http::request& message) {
    const auto who = require<accounts::tenant_administrator>(services, message);
    if (!who) co_return who.error();
    const auto page = parse_page_request(message, {"createdTime", "title", "email", "country", "city"});
    if (!page) co_return page.error();
    const auto text = [](const accounts::customer& one, std::string_view property) -> std::string {
        if (property == "title") return one.title;
        if (property == "email") return one.reach.email;
        if (property == "country") return one.reach.country;
        if (property == "city") return one.reach.city;
        return {};
    };
    const auto number = [](const accounts::customer& one, std::string_view property) {
        return property == "createdTime" ? one.created_time : 0;
    };
    auto items = account_page(
        services.customers.list(*who), *page, [](const accounts::customer& one) { return one.title; }, text,
        number, [](const accounts::customer& one) { return customer_json(one); });
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
