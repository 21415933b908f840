// SPDX-License-Identifier: Apache-2.0
/// Accept-Encoding, RFC 9110 section 12.5.3. Pure functions.
#pragma once

#include "http/request.hpp"

#include <cstdint>
#include <string_view>

namespace gallery::http {

enum class coding : std::uint8_t { identity, gzip, br };

/// "gzip", "br"; empty for identity, which has no Content-Encoding.
std::string_view to_string(coding c) noexcept;

/// Which codings exist of a representation; identity always does.
struct available_codings {
    bool gzip = false;
    bool br = false;
};

/// The best by q-value; on a tie br before gzip before identity. A missing field or one that refuses
/// everything there is gives identity. Weights are q-values times 1000.
coding choose_coding(std::string_view accept_encoding, available_codings there) noexcept;
/// The same over all lines of a request.
coding choose_coding(const request& message, available_codings there) noexcept;

/// The first coding that a request's Content-Encoding says its body has; empty where it is "identity" or
/// none.
std::string_view body_coding(const request& message) noexcept;

}  // namespace gallery::http
