// SPDX-License-Identifier: Apache-2.0
// Customers: managed by the tenant's administrators; a customer's user may read the own one.
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
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
    if (**value != first && **value != second)
        return bad_parameter(name, **value, std::string(first) + " or " + std::string(second));
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

task<result<http::response>> save(const account_services& services, accounts::tenant_administrator who,
                                  http::request& message) {
    auto policy = parse_policy(message);
    if (!policy) co_return policy.error();
    auto sent = co_await read_json(message, parse_customer);
    if (!sent) co_return sent.error();
    auto saved = co_await services.customers.save(std::move(who), std::move(*sent), std::move(*policy));
    if (!saved) co_return saved.error();
    co_return http::response::json(200, customer_json(**saved));
}

task<result<http::response>> find(const account_services& services, accounts::tenant_member who,
                                  http::request& message) {
    const auto id = id_parameter(message, 0, "customerId");
    if (!id) co_return id.error();
    const auto found = services.customers.find(who, customer_id{*id});
    if (!found) co_return found.error();
    co_return http::response::json(200, customer_json(**found));
}

task<result<http::response>> erase(const account_services& services, accounts::tenant_administrator who,
                                   http::request& message) {
    const auto id = id_parameter(message, 0, "customerId");
    if (!id) co_return id.error();
    auto done = co_await services.customers.erase(std::move(who), customer_id{*id});
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

template <auto Member>
sort_key contact_key(const accounts::customer& one) {
    return {one.reach.*Member};
}

constexpr sort_column<accounts::customer> columns[] = {
    {"createdTime", key_of_member<&accounts::customer::created_time>},
    {"title", key_of_member<&accounts::customer::title>},
    {"email", contact_key<&accounts::contact::email>},
    {"country", contact_key<&accounts::contact::country>},
    {"city", contact_key<&accounts::contact::city>},
};

constexpr account_listing<accounts::customer> listing{
    columns, &accounts::customer::title,
    [](const accounts::customer& one, std::int64_t) { return customer_json(one); }};

task<result<http::response>> list(const account_services& services, accounts::tenant_administrator who,
                                  http::request& message) {
    return account_page(services.background, who.who().tenant, message, services.customers.list(who),
                        listing);
}

constexpr endpoint<account_services> endpoints[] = {
    {http::method::post, "/api/customer", "customer.save", body_kind::json,
     allow<accounts::tenant_administrator, save>},
    {http::method::get, "/api/customer/{customerId}", "customer.find", body_kind::none,
     allow<accounts::tenant_member, find>},
    {http::method::delete_, "/api/customer/{customerId}", "customer.delete", body_kind::none,
     allow<accounts::tenant_administrator, erase>},
    {http::method::get, "/api/customers", "customer.list", body_kind::none,
     allow<accounts::tenant_administrator, list>},
};

}  // namespace

account_endpoints customer_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api
