// SPDX-License-Identifier: Apache-2.0
#include "http/cache_lines.hpp"

namespace gallery::http {

std::string cache_lines(bool is_public, std::chrono::minutes ttl, const cross_origin& pages) {
    std::string lines = is_public ? "Cache-Control: public, " : "Cache-Control: private, ";
    lines += ttl.count() <= 0 ? "no-cache" : "max-age=" + std::to_string(std::chrono::seconds(ttl).count());
    lines += "\r\n";
    if (is_public) {
        lines += open_lines;
    } else if (pages.depends_on_origin() || (pages.enabled() && ttl.count() > 0)) {
        // The page of another origin must not be given a copy that was made for a page without an Origin.
        lines += "Vary: Origin\r\n";
    }
    // A browser keeps one copy for all accounts that are used in it, and does not ask whose it is.
    if (!is_public && ttl.count() > 0) lines += "Vary: X-Authorization, Authorization\r\n";
    return lines;
}

}  // namespace gallery::http
