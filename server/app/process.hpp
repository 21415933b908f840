// SPDX-License-Identifier: Apache-2.0
/// Settings of the whole process, made before anything is opened.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gallery::app {

/// New files are for the server's user only; SIGPIPE is ignored (a client that went away is an error value);
/// as many files may be open as the hard limit allows; a standard stream that is closed becomes no file of
/// the store; no core dump holds keys and pictures. Returns notes for the operator, one sentence each.
/// Call before there are threads, and before anything is opened.
std::vector<std::string> prepare_process();

/// Files that may be open at once.
std::uint64_t open_file_limit();

/// The file, else folder, of a list that exists first; empty where none does.
std::string first_existing(const std::vector<std::string>& candidates);

/// @p relative to the folder of the running executable.
std::string beside_executable(const std::string& relative);

}  // namespace gallery::app
