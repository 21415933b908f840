// SPDX-License-Identifier: Apache-2.0
/// What --help prints, made from the tables.
#pragma once

#include "admin/command.hpp"

#include <string>
#include <string_view>

namespace gallery::admin {

/// gallery-admin itself.
const program& admin_program() noexcept;

/// gallery-admin --help
std::string general_help(const program& of = admin_program());
/// gallery-admin tenant --help
std::string group_help(std::string_view group, const program& of = admin_program());
/// gallery-admin tenant create --help
std::string command_help(const command& what, const program& of = admin_program());
/// The same, of the command with these words. Precondition: there is one.
std::string command_help(std::string_view words);
/// Prints it to standard output; the exit code of the process.
int print_help(std::string_view words);

/// " except verify, copy and reset-sysadmin": the commands that ask no server, to be read after "all
/// commands". Empty where all ask one.
std::string except_alone(const program& of);
/// An option or a command with the words that follow it.
std::string term_of(const option& one);
std::string term_of(const command& one);

}  // namespace gallery::admin
