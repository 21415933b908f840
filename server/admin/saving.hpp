// SPDX-License-Identifier: Apache-2.0
/// What the commands of all resources do alike: making, changing and listing one kind of object.
#pragma once

#include "admin/session.hpp"

#include <boost/json/object.hpp>

#include <span>
#include <string>

namespace gallery::admin {

/// Lays @p changes over @p one as it was read, saves it at @p target and shows the outcome. It goes with the
/// version that was read, so that a change by another request in between is not lost.
outcome<> save_changed(session& in, const std::string& target, boost::json::object one,
                       const boost::json::object& changes, std::span<const field> fields);

/// The following are of what has a title: a tenant, a customer.

/// Makes the one that the first operand names, with the members of @p body besides the options' values.
outcome<> create_titled(session& in, const std::string& target, std::span<const field> fields,
                        boost::json::object body = {});
/// All of them, or those that --search finds.
outcome<> list_titled(session& in, const std::string& target, std::span<const field> fields);
/// Finds the one that the first operand names by @p find and puts the options' values into it, and @p
/// changes.
outcome<> update_titled(session& in, const std::string& target,
                        outcome<boost::json::object> (*find)(session&, const std::string&),
                        std::span<const field> fields, boost::json::object changes = {});

}  // namespace gallery::admin
