// SPDX-License-Identifier: Apache-2.0
/// Environment variables in configuration values, as Spring and so ThingsBoard write them.
#pragma once

#include <gallery/error.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::config {

/// Looks up a variable; empty if it is not set. A variable with an empty value is set.
using environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's own environment.
environment process_environment();

struct substitution {
    std::string text;
    std::vector<std::string> names;  ///< all variables that the value names
    std::vector<std::string> used;   ///< those of them that were set
};

/// Replaces each "${NAME:default}" of @p text by the variable or the default, which ends at the first '}' and
/// may be empty, and each "${NAME}" by the variable. Error: invalid_argument for a reference that is not
/// closed, whose name is not made of A-Z, a-z, 0-9 and _, or that has no default and is not set.
result<substitution> substitute(std::string_view text, const environment& env);

}  // namespace gallery::config
