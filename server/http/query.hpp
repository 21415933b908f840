// SPDX-License-Identifier: Apache-2.0
/// The query of a request's target.
#pragma once

#include <gallery/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

/// Views "a=b&c=d" and decodes on demand ('+' is a space). The first of repeated parameters counts.
/// Errors: invalid_argument naming the parameter, for broken escapes and for what is not UTF-8.
class query_view {
public:
    explicit query_view(std::string_view raw) noexcept : raw_(raw) {}

    /// Present, with or without a value ("force" and "force=").
    [[nodiscard]] bool has(std::string_view name) const noexcept;
    /// Empty where it is missing.
    [[nodiscard]] result<std::optional<std::string>> get(std::string_view name) const;
    /// Error "Required request parameter '...' is not present" where it is missing.
    [[nodiscard]] result<std::string> require(std::string_view name) const;
    /// A decimal number with an optional minus; anything else is an error.
    [[nodiscard]] result<std::optional<std::int64_t>> get_integer(std::string_view name) const;
    /// As parse_boolean() takes it, and the bare name ("?force") is true; "force=" is as if it were
    /// missing; anything else is an error.
    [[nodiscard]] result<std::optional<bool>> get_boolean(std::string_view name) const;

private:
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name, bool& bare) const noexcept;
    std::string_view raw_;
};

}  // namespace gallery::http
