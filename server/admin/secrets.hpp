// SPDX-License-Identifier: Apache-2.0
/// Passwords and consent of the user at the terminal. None of it passes through arguments, which every user
/// of the machine can read, or is ever printed.
#pragma once

#include "admin/failure.hpp"

#include <string>

namespace gallery::admin {

/// Somebody sits at standard input.
bool is_interactive();

/// The next line of standard input without its end; typed without echo where that is a terminal, after
/// @p prompt. Failure: usage where there is no line, or an empty one; @p what names the value in it ("new
/// password").
outcome<std::string> read_secret_line(const std::string& prompt, const std::string& what);

/// As read_secret_line(), from a terminal, twice the same. Failure: usage.
outcome<std::string> read_new_secret(const std::string& what);

/// Asks; only "y" and "yes" are yes. Precondition: is_interactive().
bool confirm(const std::string& question);

}  // namespace gallery::admin
