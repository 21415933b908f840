// SPDX-License-Identifier: Apache-2.0
/// Media types as in Content-Type. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

/// "type/subtype; name=value" with views into the text.
struct media_type {
    std::string_view type;
    std::string_view subtype;
    std::string_view parameters;  ///< from the first ';' on

    /// Empty where the text is none (RFC 9110, 8.3.1).
    static std::optional<media_type> parse(std::string_view text) noexcept;
    /// Compares "image/png" without regard to case and parameters.
    [[nodiscard]] bool is(std::string_view essence) const noexcept;
    /// A parameter's value, quoted-pairs resolved; empty optional where it is missing or malformed.
    [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};

/// application/json, also with parameters and as "+json".
bool is_json(std::string_view content_type) noexcept;

/// By a file name's extension, for static files: "text/html; charset=utf-8", ...;
/// "application/octet-stream" if it is not known (gallery/media_type.hpp).
std::string media_type_of_file(std::string_view name);

}  // namespace gallery::http
