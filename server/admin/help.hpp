// SPDX-License-Identifier: Apache-2.0
/// What --help prints, made from the tables.
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
/// The same, of the command with these words. Precondition: there is one.
std::string command_help(std::string_view words);
/// Prints it to standard output; the exit code of the process.
int print_help(std::string_view words);

/// The commands that ask no server, to be read: "verify, copy and reset-sysadmin".
std::string alone_names();
/// What credentials are and where they come from, and what the exit codes mean; lines.
std::string_view credentials_help() noexcept;
std::string_view exit_codes_help() noexcept;
/// An option or a command with the words that follow it.
std::string term_of(const option& one);
std::string term_of(const command& one);

}  // namespace gallery::admin
