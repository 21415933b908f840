// SPDX-License-Identifier: Apache-2.0
/// What an e-mail address is, for accounts and settings.
#pragma once

#include <cstddef>
#include <string_view>

namespace gallery {

/// At most 255 bytes: "@" with text on both sides, no spaces, and nothing that separates addresses in a list.
/// The address is not verified with a mail server.
inline bool is_email_address(std::string_view text) noexcept {
    constexpr std::size_t longest = 255;
    constexpr auto nowhere = std::string_view::npos;
    const auto at = text.find('@');
    if (at == 0 || at == nowhere || at + 1 == text.size() || text.size() > longest) return false;
    return text.find('@', at + 1) == nowhere && text.find_first_of(" \t\r\n<>,;\"") == nowhere;
}

}  // namespace gallery
