// SPDX-License-Identifier: Apache-2.0
/// The manual page and the shell completion of a program, made from the tables. Pure.
#pragma once

#include "admin/help.hpp"

#include <string>

namespace gallery::admin {

/// gallery-admin --manual, for the build: gallery-admin(1), for man.
std::string manual(const program& of = admin_program());
/// gallery-admin --completion, for the build: for bash.
std::string completion(const program& of = admin_program());

}  // namespace gallery::admin
