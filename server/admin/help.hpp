// SPDX-License-Identifier: Apache-2.0
/// What --help prints, made from the tables. Pure.
#pragma once

#include "admin/command.hpp"

#include <string>
#include <string_view>

namespace gallery::admin {

/// gallery-admin --help
std::string general_help();
/// gallery-admin tenant --help
std::string group_help(std::string_view group);
/// gallery-admin tenant create --help
std::string command_help(const command& what);

}  // namespace gallery::admin
