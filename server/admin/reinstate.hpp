// SPDX-License-Identifier: Apache-2.0
/// gallery-admin reinstate: the store of the configuration becomes the one of the stopped server again, after
/// a switch. It may lack what was written since.
#pragma once

#include <span>

namespace gallery::admin {

/// @p arguments: what follows the command's name. The exit code of the process.
int reinstate(std::span<const char* const> arguments);

}  // namespace gallery::admin
