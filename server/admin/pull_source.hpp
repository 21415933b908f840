// SPDX-License-Identifier: Apache-2.0
/// The images of a ThingsBoard server, as its API has them since version 3.6.2.
#pragma once

#include "admin/image_document.hpp"
#include "admin/server_api.hpp"
#include "admin/session.hpp"

#include <string>
#include <vector>

namespace gallery::admin {

/// The server that --from names, with the credentials of THINGSBOARD_TOKEN, THINGSBOARD_API_KEY, or
/// THINGSBOARD_USER and THINGSBOARD_PASSWORD. Failures: usage, configuration.
outcome<server_api> thingsboard_of(const session& in);

/// All images and SCADA symbols that belong to the account: those of a tenant, or a system administrator's. A
/// server without SCADA symbols (before 3.7) ignores the parameter for them, and lists all
/// images again; these are left out. Failures: those of requests.
outcome<std::vector<image_document>> list_thingsboard(server_api& from);

/// One of them with its picture in Base64, as it is now: @p listed is completed. Failures: refused if the
/// picture is not the one that the list described; those of requests.
outcome<std::string> fetch_thingsboard(server_api& from, bool is_system, image_document& listed);

}  // namespace gallery::admin
