// SPDX-License-Identifier: Apache-2.0
/// The mirror of a running server, as its API describes it.
#pragma once

#include "admin/output.hpp"
#include "admin/session.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace gallery::admin {

inline constexpr const char* mirror_target = "/api/system/mirror";

/// The properties that people see.
std::span<const field> mirror_fields() noexcept;

/// The state; logs in again when the token has expired. Failures: those of server_api.
outcome<boost::json::object> mirror_status(session& in);

/// Asks for the state until @p is_done, several times a second, and shows the progress on a terminal.
/// Failures: those of mirror_status().
outcome<boost::json::object> watch_mirror(session& in,
                                          const std::function<bool(const boost::json::object&)>& is_done);

/// {"engine": ..., "path": ..., "options": {...}}. @p options: NAME=VALUE, separated by newlines. Failure:
/// usage.
outcome<boost::json::object> mirror_request(const std::string& engine, const std::string& path,
                                            std::string_view options, bool any_source);

/// A member of the state that is a boolean; false where it is not.
bool flag_of(const boost::json::object& from, std::string_view name);

}  // namespace gallery::admin
