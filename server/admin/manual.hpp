// SPDX-License-Identifier: Apache-2.0
/// The manual page and the shell completion of gallery-admin, made from the tables. Pure.
#pragma once

#include <string>

namespace gallery::admin {

/// gallery-admin --manual, for the build: gallery-admin(1), for man.
std::string manual();
/// gallery-admin --completion, for the build: for bash.
std::string completion();

}  // namespace gallery::admin
