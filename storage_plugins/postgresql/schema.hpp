// SPDX-License-Identifier: Apache-2.0
/// The tables of a store, and their version.
#pragma once

#include "connection.hpp"

#include <gallery/error.hpp>
#include <gallery/plugin.hpp>

#include <string>

namespace gallery::postgres {

/// Of the schema that this version creates and reads.
inline constexpr int schema_version = 1;

/// An identifier or a text literal for a statement.
std::string quoted_identifier(std::string_view name);
std::string quoted_literal(std::string_view text);

/// Creates the schema and its tables where they do not exist, and upgrades older ones, under an advisory
/// lock, so that any number of processes may begin at once. A later version is refused (unavailable).
/// @p server: see server_facts.
task<result<void>> prepare_schema(connection& on, std::string schema, std::string server, log_function log);

}  // namespace gallery::postgres
