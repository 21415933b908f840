// SPDX-License-Identifier: Apache-2.0
/// A command's operands and options. Pure.
#pragma once

#include "admin/help.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::admin {

class arguments {
public:
    std::vector<std::string> operands;
    std::map<std::string, std::string, std::less<>> options;  ///< by name with hyphens; "" for a bare one

    [[nodiscard]] bool has(std::string_view name) const { return options.contains(name); }
    /// Empty where it was not given.
    [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
    /// All values of an option that may repeat, in their order.
    [[nodiscard]] std::vector<std::string> values(std::string_view name) const;
};

/// Options may be anywhere, as "--name value" or "--name=value"; after "--" everything is an operand. With
/// --help among them nothing else is checked. Failure: usage; it repeats no values, which might be secrets.
outcome<arguments> parse_arguments(const command& what, std::span<const std::string_view> given,
                                   const program& of = admin_program());

/// A whole number without a sign, if it is within these bounds.
std::optional<std::size_t> whole_number(std::string_view text, std::size_t least, std::size_t most) noexcept;

/// The option of this name, of the command or common to all.
const option* find_option(const command& what, std::string_view name) noexcept;

}  // namespace gallery::admin
