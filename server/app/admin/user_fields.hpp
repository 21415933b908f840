/// How a user is shown.
#pragma once

#include "app/admin/output.hpp"

#include <span>

namespace gallery::app::admin {

/// With what is shown once where it was just made: a generated password, an activation link.
std::span<const field> user_fields();

}  // namespace gallery::app::admin
