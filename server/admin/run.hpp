// SPDX-License-Identifier: Apache-2.0
/// gallery-admin, but for main().
#pragma once

#include <span>

namespace gallery::admin {

/// Finds the command that @p arguments, those of main() without the program's name, ask for, and runs it.
/// Returns the exit code.
int run(std::span<const char* const> arguments);

}  // namespace gallery::admin
