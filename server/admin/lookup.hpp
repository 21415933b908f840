// SPDX-License-Identifier: Apache-2.0
/// From what people call a resource to the resource: names are taken where ids are.
#pragma once

#include "admin/session.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace gallery::admin {

/// Each finds by id, or by exactly this name. Failures: not_found for no such one, and for several of the
/// same name, whose ids it lists; those of requests.
outcome<boost::json::object> find_tenant(session& in, const std::string& title_or_id);
outcome<boost::json::object> find_customer(session& in, const std::string& title_or_id);
outcome<boost::json::object> find_profile(session& in, const std::string& name_or_id);
/// An e-mail address in any case.
outcome<boost::json::object> find_user(session& in, const std::string& email_or_id);
/// A key of @p holder, a user.
outcome<boost::json::object> find_api_key(session& in, const boost::json::object& holder,
                                          const std::string& description_or_id);

/// The user of --user; otherwise the user who is logged in.
outcome<boost::json::object> user_or_me(session& in);

/// "tenant 'Acme' (5b0c...)"
std::string called(std::string_view kind, const boost::json::object& one, std::string_view name);

}  // namespace gallery::admin
