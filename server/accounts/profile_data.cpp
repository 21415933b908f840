// SPDX-License-Identifier: Apache-2.0
#include "accounts/profile_data.hpp"

#include "accounts/rate_format.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gallery::accounts {
namespace {

namespace json = boost::json;

/// As much of a refused value as a message repeats.
constexpr std::size_t shown_value_bytes = 40;

/// Numbers of JavaScript clients are exact up to here.
constexpr std::int64_t max_bytes = (std::int64_t{1} << 53) - 1;

error bad_field(std::string_view name, std::string_view fault) {
    return {errc::invalid_argument,
            "The field 'profileData.configuration." + std::string(name) + "' " + std::string(fault)};
}

error not_an_object(std::string_view name) {
    return {errc::invalid_argument, "The field '" + std::string(name) + "' is not a JSON object"};
}

/// Null for a field that is absent or null.
const json::value* find_field(const json::object& configuration, std::string_view name) {
    const auto* value = configuration.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

result<std::uint64_t> read_bytes(const json::object& configuration, std::string_view name) {
    const auto* value = find_field(configuration, name);
    if (value == nullptr) return std::uint64_t{0};
    if (const auto* const bytes = value->if_int64(); bytes != nullptr && *bytes >= 0 && *bytes <= max_bytes)
        return static_cast<std::uint64_t>(*bytes);
    return bad_field(name, "is " + json::serialize(*value).substr(0, shown_value_bytes) +
                               ". It takes a whole number of bytes from 0 to " + std::to_string(max_bytes) +
                               "; 0 means no limit");
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

/// What a configuration says about limits.
struct limits_read {
    tenant_limits limits;       ///< those that are accepted
    std::vector<error> faults;  ///< of those that are not
};

limits_read read_limits(const json::object& configuration) {
    limits_read out;
    const auto take = [&out](auto& limit, auto read) {
        if (read) {
            limit = std::move(*read);
        } else {
            out.faults.push_back(read.error());
        }
    };
    auto& limits = out.limits;
    take(limits.max_resource_size, read_bytes(configuration, "maxResourceSize"));
    take(limits.max_resources_bytes, read_bytes(configuration, "maxResourcesInBytes"));
    take(limits.tenant_requests, read_rates(configuration, "tenantServerRestLimitsConfiguration"));
    take(limits.customer_requests, read_rates(configuration, "customerServerRestLimitsConfiguration"));
    return out;
}

/// Null where there are none.
tenant_limits_ptr shared(const tenant_limits& limits) {
    return limits == tenant_limits() ? nullptr : std::make_shared<const tenant_limits>(limits);
}

}  // namespace

result<void> set_data(tenant_profile& profile, std::string_view text) {
    if (text.empty()) text = R"({"configuration":{"maxResourcesInBytes":0,"maxResourceSize":0}})";
    boost::system::error_code failed;
    auto data = json::parse(text, failed);
    if (failed || !data.is_object()) return not_an_object("profileData");
    auto* const configuration = data.get_object().if_contains("configuration");
    if (configuration == nullptr || configuration->is_null())
        return error{errc::invalid_argument, "Tenant profile data configuration should be specified!"};
    if (!configuration->is_object()) return not_an_object("profileData.configuration");
    auto& members = configuration->get_object();
    const auto read = read_limits(members);
    if (!read.faults.empty()) return read.faults.front();
    if (find_field(members, "type") == nullptr) members["type"] = "DEFAULT";
    profile.data = json::serialize(data);
    profile.limits = shared(read.limits);
    profile.ignored_limits.clear();
    return {};
}

result<void> restore_data(tenant_profile& profile, std::string text) {
    if (text.empty()) return set_data(profile, {});
    boost::system::error_code failed;
    const auto data = json::parse(text, failed);
    if (failed) return error{errc::invalid_argument, "The field 'profileData' is not JSON"};
    limits_read read;
    const auto* const members = data.if_object();
    const auto* const found = members != nullptr ? members->if_contains("configuration") : nullptr;
    if (members == nullptr) {
        read.faults.push_back(not_an_object("profileData"));
    } else if (found != nullptr && found->is_object()) {
        read = read_limits(found->get_object());
    } else if (found != nullptr && !found->is_null()) {
        read.faults.push_back(not_an_object("profileData.configuration"));
    }
    profile.limits = shared(read.limits);
    profile.ignored_limits.clear();
    for (auto& fault : read.faults)
        profile.ignored_limits.push_back(std::move(fault.message));
    profile.data = std::move(text);
    return {};
}

}  // namespace gallery::accounts
