// SPDX-License-Identifier: Apache-2.0
/// All commands, by resource.
#pragma once

#include "admin/command.hpp"

#include <span>
#include <vector>

namespace gallery::admin {

std::span<const command> tenant_commands();
std::span<const command> profile_commands();
std::span<const command> user_commands();
std::span<const command> customer_commands();
std::span<const command> api_key_commands();
std::span<const command> image_commands();
std::span<const command> image_export_commands();
std::span<const command> image_import_commands();
std::span<const command> image_pull_commands();
std::span<const command> own_account_commands();
std::span<const command> dashboard_commands();
std::span<const command> mirror_commands();
std::span<const command> node_commands();
std::span<const command> health_commands();
std::span<const command> scrub_commands();
std::span<const command> reload_commands();
std::span<const command> backup_commands();
/// Those that ask no server.
std::span<const command> alone_commands();

/// In the order in which help has them. The last ones ask no server and take no part in the common options.
const std::vector<const command*>& all_commands();

}  // namespace gallery::admin
