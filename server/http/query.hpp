// SPDX-License-Identifier: Apache-2.0
/// The query of a request's target.
#pragma once

#include <gallery/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::http {

/// Views "a=b&c=d" and decodes on demand ('+' is a space). The first of repeated parameters counts,
/// unless all are asked for.
/// Errors: invalid_argument naming the parameter, for broken escapes and for what is not UTF-8.
class query_view {
public:
    explicit query_view(std::string_view raw) noexcept : raw_(raw) {}

    /// Present, with or without a value ("force" and "force=").
    [[nodiscard]] bool has(std::string_view name) const noexcept;
    /// Empty where it is missing.
    [[nodiscard]] result<std::optional<std::string>> get(std::string_view name) const;
    /// The values of all parameters of this name, in their order.
    [[nodiscard]] result<std::vector<std::string>> get_all(std::string_view name) const;
    /// Error "Required request parameter '...' is not present" where it is missing.
    [[nodiscard]] result<std::string> require(std::string_view name) const;
    /// A decimal number with an optional minus; anything else is an error.
    [[nodiscard]] result<std::optional<std::int64_t>> get_integer(std::string_view name) const;
    /// As parse_boolean() takes it, and the bare name ("?force") is true; "force=" is as if it were
    /// missing; anything else is an error.
    [[nodiscard]] result<std::optional<bool>> get_boolean(std::string_view name) const;

private:
    /// The value of the next parameter of this name in @p rest, which then begins behind it.
    [[nodiscard]] static std::optional<std::string_view> next(std::string_view& rest, std::string_view name,
                                                              bool& bare) noexcept;
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name, bool& bare) const noexcept;
    std::string_view raw_;
};

}  // namespace gallery::http
