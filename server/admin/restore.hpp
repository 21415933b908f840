// SPDX-License-Identifier: Apache-2.0
/// gallery-admin restore: copies a backup into the empty store that the configuration names.
#pragma once

#include <span>

namespace gallery::admin {

/// Takes the arguments after the word. Returns the exit code.
int restore(std::span<const char* const> arguments);

}  // namespace gallery::admin
