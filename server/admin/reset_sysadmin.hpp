// SPDX-License-Identifier: Apache-2.0
/// gallery-admin reset-sysadmin: the way back in when the administrator's password is lost.
#pragma once

#include <span>

namespace gallery::admin {

/// Opens the store that the configuration names, without a server, gives a system administrator a new
/// generated password, ends the sessions of that account and enables it, and prints the password. @p
/// arguments are those after "reset-sysadmin": --config FILE, --user EMAIL, --json, --help. Returns the exit
/// code: 0 done, 3 no such administrator, 64 wrong arguments, 69 the store cannot be opened (a running server
/// holds it), 74 done but not printed, 78 wrong configuration.
int reset_sysadmin(std::span<const char* const> arguments);

}  // namespace gallery::admin
