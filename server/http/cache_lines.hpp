// SPDX-License-Identifier: Apache-2.0
/// The header lines that tell caches what they may do with an answer.
#pragma once

#include "http/cross_origin.hpp"

#include <chrono>
#include <string>

namespace gallery::http {

/// Cache-Control and, where it belongs to it, Vary and the lines for pages of other origins: whole lines, as
/// they are sent, for a 304 as well as a 200 (RFC 9110, 15.4.5). @p is_public: everybody may have the answer
/// and every cache may keep it. @p ttl: for how long it may be used without asking; 0 or less: always ask. @p
/// pages: which pages of other origins may read the answers that are not public.
std::string cache_lines(bool is_public, std::chrono::minutes ttl, const cross_origin& pages);

}  // namespace gallery::http
