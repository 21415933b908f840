// SPDX-License-Identifier: Apache-2.0
/// Accept-Encoding, RFC 9110 section 12.5.3. Pure functions.
#pragma once

#include "coding/content_coding.hpp"
#include "http/request.hpp"

#include <string_view>

namespace gallery::http {

/// Which codings exist of a representation; identity always does.
struct available_codings {
    bool gzip = false;
    bool brotli = false;
};

/// The best by q-value; on a tie brotli before gzip before identity. A missing field or one that refuses
/// everything there is gives identity. Weights are q-values times 1000.
content_coding choose_coding(std::string_view accept_encoding, available_codings there) noexcept;
/// The same over all lines of a request.
content_coding choose_coding(const request& message, available_codings there) noexcept;

/// The first coding of a request's Content-Encoding; empty if it is "identity" or missing.
std::string_view body_coding(const request& message) noexcept;

}  // namespace gallery::http
