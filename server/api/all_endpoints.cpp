// SPDX-License-Identifier: Apache-2.0
#include "api/all_endpoints.hpp"

namespace gallery::api {
namespace {

/// Calls @p use with each table and the member of all_services that its handlers need.
template <class Function>
void for_each_table(Function use) {
    use(system_endpoints(), &all_services::system);
    use(image_endpoints(), &all_services::images);
    use(image_usage_endpoints(), &all_services::images);
    use(image_document_endpoints(), &all_services::images);
    use(image_bytes_endpoints(), &all_services::image_bytes);
    use(image_archive_endpoints(), &all_services::archives);
    use(auth_endpoints(), &all_services::accounts);
    use(tenant_profile_endpoints(), &all_services::accounts);
    use(tenant_endpoints(), &all_services::accounts);
    use(customer_endpoints(), &all_services::accounts);
    use(user_endpoints(), &all_services::accounts);
    use(api_key_endpoints(), &all_services::accounts);
    use(mirror_endpoints(), &all_services::mirror);
    use(scrub_endpoints(), &all_services::scrub);
    use(openapi_endpoints(), &all_services::openapi);
}

}  // namespace

void add_all_endpoints(http::router& routes, const all_services& services, const content_limits& limits) {
    for_each_table([&](auto table, auto needed) { add_endpoints(routes, table, services.*needed, limits); });
}

std::vector<endpoint_facts> list_endpoints() {
    std::vector<endpoint_facts> all;
    for_each_table([&](auto table, auto) {
        for (const auto& row : table)
            all.push_back(row.facts());
    });
    return all;
}

}  // namespace gallery::api
