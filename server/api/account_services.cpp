// SPDX-License-Identifier: Apache-2.0
#include "api/account_services.hpp"

#include "http/errors.hpp"

#include <string>

namespace gallery::api {
namespace {

task<http::response> answer_one(const account_services& services, account_endpoint answer,
                                http::request& message) {
    auto outcome = co_await answer(services, message);
    if (!outcome) co_return http::error_response(outcome.error());
    co_return std::move(*outcome);
}

}  // namespace

void add_account_routes(http::router& routes, const account_services& services) {
    add_auth_routes(routes, services);
    add_tenant_routes(routes, services);
    add_customer_routes(routes, services);
    add_user_routes(routes, services);
    add_api_key_routes(routes, services);
}

void add_endpoint(http::router& routes, const account_services& services, http::method verb,
                  std::string_view pattern, std::string_view name, account_endpoint answer,
                  std::uint64_t body_limit) {
    http::route_options options;
    options.name = name;
    options.body_limit = body_limit == 0 ? 0 : services.limit_body(pattern, body_limit);
    routes.add(
        verb, pattern,
        [&services, answer](http::request& message) { return answer_one(services, answer, message); },
        std::move(options));
}

result<uuid> id_parameter(const http::request& message, std::size_t index, std::string_view name) {
    const auto& text = message.param(index);
    const auto value = parse_uuid(text);
    if (!value) {
        return error{errc::invalid_argument, "Parameter '" + std::string(name) + "' is '" +
                                                 text.substr(0, 80) +
                                                 "'. It takes a UUID, for instance "
                                                 "784f394c-42b6-435a-983c-b7beff2784f9."};
    }
    return *value;
}

}  // namespace gallery::api
