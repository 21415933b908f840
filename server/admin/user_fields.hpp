// SPDX-License-Identifier: Apache-2.0
/// How a user is shown.
#pragma once

#include "admin/output.hpp"

#include <span>

namespace gallery::admin {

/// With what is shown once where it was just made: a generated password, an activation link.
std::span<const field> user_fields();

/// A user who has not chosen a password yet.
bool is_invited(const boost::json::object& user);

}  // namespace gallery::admin
