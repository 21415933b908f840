// SPDX-License-Identifier: Apache-2.0
// How much a tenant has stored, and its limits.
#include "api/image_services.hpp"
#include "api/json_fields.hpp"
#include "api/pages.hpp"
#include "http/query.hpp"
#include "images/permissions.hpp"

#include <gallery/uuid.hpp>

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace gallery::api {
namespace {

result<std::optional<tenant_id>> tenant_in_query(const http::request& message) {
    const auto text = http::query_view(message.query()).get("tenantId");
    if (!text) return text.error();
    if (!*text) return std::optional<tenant_id>();
    const auto id = parse_uuid(**text);
    if (!id) return bad_parameter("tenantId", **text, "a UUID");
    return std::optional(tenant_id{*id});
}

std::uint64_t bytes_of(const usage_figures& figures) noexcept {
    return figures.original_bytes + figures.preview_bytes;
}

task<result<http::response>> usage(const image_services& services, accounts::administrator who,
                                   http::request& message) {
    const auto asked = tenant_in_query(message);
    if (!asked) co_return asked.error();
    auto may = images::authorise_usage(who.who(), *asked);
    if (!may) co_return std::move(may).error();
    const auto tenant = may->tenant();
    const auto quota = services.images.limits().of(tenant);
    const auto used = co_await services.images.usage(std::move(*may));
    if (!used) co_return used.error();
    // A tenant of ThingsBoard can have images without being known here. Only one that has none is refused.
    const bool has_any = used->images.count != 0 || used->kept.count != 0;
    if (!has_any && tenant != who.who().tenant) {
        if (const auto known = services.tenants.find(who, tenant); !known) co_return known.error();
    }
    boost::json::object out;
    out["tenantId"] = entity_id("TENANT", tenant.value);
    out["images"] = used->images.count;
    out["bytes"] = bytes_of(used->images);
    out["keptVersions"] = used->kept.count;
    out["keptBytes"] = bytes_of(used->kept);
    out["usedBytes"] = used->images.original_bytes;
    out["maxResourcesInBytes"] = quota.max_total_bytes;
    out["maxResourceSize"] = images::smaller_limit(quota.max_image_bytes, services.max_resource_size);
    co_return http::response::json(200, out);
}

constexpr endpoint<image_services> endpoints[] = {
    {http::method::get, "/api/images/usage", "image.usage", body_kind::none,
     allow<accounts::administrator, usage>},
};

}  // namespace

std::span<const endpoint<image_services>> image_usage_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api
