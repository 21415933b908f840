// SPDX-License-Identifier: Apache-2.0
/// gallery-admin and programs like it, but for main().
#pragma once

#include "admin/help.hpp"

#include <span>

namespace gallery::admin {

/// Finds the command that @p arguments, those of main() without the program's name, ask for, and runs it.
/// Returns the exit code.
int run(std::span<const char* const> arguments, const program& of = admin_program());

}  // namespace gallery::admin
