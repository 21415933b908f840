// SPDX-License-Identifier: Apache-2.0
/// Cross-origin resource sharing (the Fetch standard), configured as ThingsBoard configures it.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <gallery/error.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::http {

/// An origin in which '*' stands for any characters but '/', and ":[*]" or ":[8080,8443]" at the end for any
/// port, none included, or one of these: "https://*.example.com:[443,8443]". "*" alone is any origin, "null"
/// included. Compared without regard to case.
class origin_pattern {
public:
    /// Entries separated by commas outside of brackets. Error: invalid_argument that names the entry.
    static result<std::vector<origin_pattern>> parse_list(std::string_view text);

    [[nodiscard]] bool matches(std::string_view origin) const;
    /// Without the ports.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// "*" alone.
    [[nodiscard]] bool is_any() const noexcept { return text_ == "*"; }
    /// Whether it matches origins that its author cannot have listed: "*", "https://*", "null".
    [[nodiscard]] bool is_wildcard() const;

private:
    std::string text_;  ///< in lower case, without the ports
    bool any_port_ = false;
    std::vector<std::string> ports_;
};

/// Names of methods or header fields, separated by commas; "*" is all of them.
/// Error: invalid_argument that names the entry.
result<std::vector<std::string>> parse_names(std::string_view text);

struct cross_origin_settings {
    std::vector<origin_pattern> origins;  ///< none: no cross-origin answer but those of open routes
    std::vector<std::string> methods{"*"};
    std::vector<std::string> headers{"*"};
    std::chrono::seconds max_age{1800};  ///< how long a browser may keep the answer to a preflight
    bool credentials = false;            ///< never with a pattern that is_wildcard()
};

/// Lines for an answer that pages of every origin may read, whether the request has an Origin or not, so that
/// a copy in a cache serves both.
inline constexpr std::string_view open_lines =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Expose-Headers: ETag, x-filename, Content-Disposition\r\n"
    "Cross-Origin-Resource-Policy: cross-origin\r\n";

/// Immutable; shared by all threads. Asked only for requests that have an Origin.
class cross_origin {
public:
    cross_origin() = default;
    explicit cross_origin(cross_origin_settings settings);

    /// True where an answer depends on the Origin, so that a cache must distinguish them ("Vary: Origin").
    [[nodiscard]] bool depends_on_origin() const noexcept { return enabled() && !any_; }
    [[nodiscard]] bool enabled() const noexcept { return !settings_.origins.empty(); }

    /// Whether a path is shared at all: what is below "/api/".
    static bool covers(std::string_view path) noexcept { return path.starts_with("/api/"); }

    /// OPTIONS with Origin and Access-Control-Request-Method.
    static bool is_preflight(const request& message) noexcept;
    /// @p allow: the methods that the path has, as in Allow; empty where it is none of the server's. @p open:
    /// the route is open to all pages.
    [[nodiscard]] response answer_preflight(const request& message, std::string_view allow, bool open) const;

    /// Adds to the answer, of whatever status, what the page of the request's Origin needs to read it.
    void complete(const request& message, bool open, response& out) const;

private:
    [[nodiscard]] bool allows(std::string_view origin) const;
    void add_origin(std::string_view origin, bool open, response& out) const;

    cross_origin_settings settings_;
    bool any_ = false;
};

}  // namespace gallery::http
