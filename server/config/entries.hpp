// SPDX-License-Identifier: Apache-2.0
/// Lists that a setting's text has.
#pragma once

#include <optional>
#include <string_view>

namespace gallery::config {

/// Takes the next entry, without the blanks around it, off the front of @p text. Entries that are empty are
/// passed over; nothing at the end.
inline std::optional<std::string_view> next_entry(std::string_view& text, char separator) noexcept {
    while (!text.empty()) {
        const auto end = text.find(separator);
        auto entry = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        while (!entry.empty() && entry.front() == ' ')
            entry.remove_prefix(1);
        while (!entry.empty() && entry.back() == ' ')
            entry.remove_suffix(1);
        if (!entry.empty()) return entry;
    }
    return std::nullopt;
}

}  // namespace gallery::config
