// SPDX-License-Identifier: Apache-2.0
#include "accounts/profile_data.hpp"

#include "accounts/rate_format.hpp"

#include <boost/json.hpp>

#include <memory>
#include <string>
#include <utility>

namespace gallery::accounts {
namespace {

namespace json = boost::json;

/// As much of a refused value as a message repeats.
constexpr std::size_t shown_value_bytes = 40;

error bad_field(std::string_view name, std::string_view fault) {
    return {errc::invalid_argument,
            "The field 'profileData.configuration." + std::string(name) + "' " + std::string(fault)};
}

/// Null for a field that is absent or null.
const json::value* find_field(const json::object& configuration, std::string_view name) {
    const auto* value = configuration.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

result<std::uint64_t> read_bytes(const json::object& configuration, std::string_view name) {
    const auto* value = find_field(configuration, name);
    if (value == nullptr) return std::uint64_t{0};
    if (value->is_int64() && value->get_int64() >= 0) return static_cast<std::uint64_t>(value->get_int64());
    return bad_field(name, "is " + json::serialize(*value).substr(0, shown_value_bytes) +
                               ". It takes a whole number of bytes from 0 to 9223372036854775807; 0 means no "
                               "limit");
}

result<std::string> read_rates(const json::object& configuration, std::string_view name) {
    const auto* value = find_field(configuration, name);
    if (value == nullptr) return std::string();
    if (!value->is_string())
        return bad_field(name,
                         "is not a text. It takes rates as requests:seconds, for example 100:1,2000:60");
    const std::string_view text(value->get_string());
    if (const auto rates = parse_rates(text); !rates)
        return bad_field(name, "is not a rate limit. " + rates.error().message);
    return std::string(text);
}

result<tenant_limits> read_limits(const json::object& configuration) {
    tenant_limits limits;
    const auto size = read_bytes(configuration, "maxResourceSize");
    if (!size) return size.error();
    limits.max_resource_size = *size;
    const auto total = read_bytes(configuration, "maxResourcesInBytes");
    if (!total) return total.error();
    limits.max_resources_bytes = *total;
    auto of_tenant = read_rates(configuration, "tenantServerRestLimitsConfiguration");
    if (!of_tenant) return of_tenant.error();
    limits.tenant_requests = std::move(*of_tenant);
    auto of_customer = read_rates(configuration, "customerServerRestLimitsConfiguration");
    if (!of_customer) return of_customer.error();
    limits.customer_requests = std::move(*of_customer);
    return limits;
}

}  // namespace

result<void> set_data(tenant_profile& profile, std::string_view text) {
    if (text.empty()) text = R"({"configuration":{"maxResourcesInBytes":0,"maxResourceSize":0}})";
    boost::system::error_code failed;
    auto data = json::parse(text, failed);
    if (failed || !data.is_object())
        return error{errc::invalid_argument, "The field 'profileData' is not a JSON object"};
    auto* const configuration = data.get_object().if_contains("configuration");
    if (configuration == nullptr || configuration->is_null())
        return error{errc::invalid_argument, "Tenant profile data configuration should be specified!"};
    if (!configuration->is_object())
        return error{errc::invalid_argument, "The field 'profileData.configuration' is not a JSON object"};
    auto& members = configuration->get_object();
    const auto limits = read_limits(members);
    if (!limits) return limits.error();
    if (find_field(members, "type") == nullptr) members["type"] = "DEFAULT";
    profile.data = json::serialize(data);
    profile.limits = *limits == tenant_limits() ? nullptr : std::make_shared<const tenant_limits>(*limits);
    return {};
}

}  // namespace gallery::accounts
