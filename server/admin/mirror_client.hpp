// SPDX-License-Identifier: Apache-2.0
/// The mirror of a running server, as its API describes it.
#pragma once

#include "admin/output.hpp"
#include "admin/progress_bar.hpp"
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

/// The state that the server has under @p target; logs in again when the token has expired. Failures: those
/// of server_api.
outcome<boost::json::object> state_at(session& in, const char* target);

/// "done of total" of a member that is a progress; empty where there is none.
std::string progress_of(const boost::json::object& from, std::string_view name);
/// Of the members images and bytes.
progress_figures progress_figures_of(const boost::json::object& from);

/// The state; logs in again when the token has expired. Failures: those of server_api.
outcome<boost::json::object> mirror_status(session& in);

/// The id of this mirror on the server; empty without a mirror.
std::string run_of(const boost::json::object& from);

/// Requests the state of the run @p run several times a second until @p is_done, and shows the progress on a
/// terminal. Failures: those of mirror_status(); refused if the server has another mirror or none.
outcome<boost::json::object> watch_mirror(session& in, const std::string& run,
                                          const std::function<bool(const boost::json::object&)>& is_done);

/// A member of the state that is a boolean; false where it is not.
bool flag_of(const boost::json::object& from, std::string_view name);

/// "engine:path" of the member of the state; empty where there is none.
std::string store_text(const boost::json::object& from, std::string_view name);

/// Whether the mirror has ended complete.
bool is_complete(const boost::json::object& from);

}  // namespace gallery::admin
