// SPDX-License-Identifier: Apache-2.0
/// gallery-admin copy: makes one closed store a copy of another.
#pragma once

#include <span>

namespace gallery::admin {

/// Takes the arguments after the word. Returns the exit code.
int copy(std::span<const char* const> arguments);

}  // namespace gallery::admin
