// SPDX-License-Identifier: Apache-2.0
/// Texts in HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace gallery::http {

/// For text between tags, and in attributes between double quotation marks.
inline std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace gallery::http
