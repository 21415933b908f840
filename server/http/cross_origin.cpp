// SPDX-License-Identifier: Apache-2.0
#include "http/cross_origin.hpp"

#include "http/errors.hpp"

#include <algorithm>
#include <cstdint>

namespace gallery::http {
namespace {

/// fn(entry) for each entry that is not empty; commas within brackets do not separate.
template <class Function>
void each_entry(std::string_view list, Function&& fn) {
    while (!list.empty()) {
        std::size_t end = 0;
        for (bool inside = false; end < list.size() && (inside || list[end] != ','); ++end) {
            if (list[end] == '[') inside = true;
            if (list[end] == ']') inside = false;
        }
        const auto entry = trim(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        if (!entry.empty()) fn(entry);
    }
}

bool is_number(std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// '*' takes as little as it can at first, and more where the rest does not fit.
bool glob(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = pattern.npos;
    std::size_t resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != pattern.npos && text[resume] != '/') {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == pattern.npos;
}

error refused(std::string_view entry, const std::string& why) {
    return {errc::invalid_argument, "'" + std::string(entry) + "' " + why};
}

bool has_name(const std::vector<std::string>& names, std::string_view name) {
    return std::any_of(names.begin(), names.end(), [name](const std::string& known) {
        return known == "*" || equals_ignoring_case(known, name);
    });
}

}  // namespace

result<std::vector<origin_pattern>> origin_pattern::parse_list(std::string_view text) {
    std::vector<origin_pattern> out;
    error problem;
    each_entry(text, [&](std::string_view entry) {
        origin_pattern one;
        auto rest = entry;
        if (rest.ends_with(']')) {
            const auto open = rest.rfind(":[");
            const bool is_port = open != rest.npos && rest.find_first_of("0123456789*", open) == open + 2 &&
                                 rest.find(':', open + 1) == rest.npos;
            if (is_port) {
                each_entry(rest.substr(open + 2, rest.size() - open - 3), [&](std::string_view port) {
                    if (port == "*") {
                        one.any_port_ = true;
                    } else if (is_number(port)) {
                        one.ports_.emplace_back(port);
                    } else {
                        problem = refused(entry, "has a value in its brackets that is not a port");
                    }
                });
                rest = rest.substr(0, open);
            }
        }
        while (rest.ends_with('/'))
            rest.remove_suffix(1);
        const auto scheme_end = rest.find("://");
        const bool whole = rest == "*" || rest == "null" ||
                           (scheme_end != rest.npos && scheme_end > 0 && scheme_end + 3 < rest.size());
        const auto bracket = rest.find('[');
        const bool is_bracketed = bracket == rest.npos || bracket == scheme_end + 3;  // an IPv6 address
        const bool sound = whole && is_bracketed && is_header_value(rest) &&
                           rest.find_first_of(" \t?#@\"") == rest.npos &&
                           (scheme_end == rest.npos || rest.find('/', scheme_end + 3) == rest.npos);
        if (!sound) {
            problem = refused(entry,
                              "is not an origin, such as https://dashboards.example.com or "
                              "https://*.example.com:[443,8443], and not *");
        }
        one.text_ = ascii_lower(rest);
        out.push_back(std::move(one));
    });
    if (!problem.message.empty()) return problem;
    return out;
}

bool origin_pattern::matches(std::string_view origin) const {
    if (is_any()) return true;
    while (origin.ends_with('/'))
        origin.remove_suffix(1);
    const auto text = ascii_lower(origin);
    if (!any_port_ && ports_.empty()) return glob(text_, text);
    const auto colon = text.rfind(':');
    const auto port = std::string_view(text).substr(colon == text.npos ? text.size() : colon + 1);
    const auto name = std::string_view(text).substr(0, is_number(port) ? colon : text.size());
    if (!glob(text_, name)) return false;
    if (any_port_) return true;
    return std::find(ports_.begin(), ports_.end(), port) != ports_.end();
}

bool origin_pattern::is_wildcard() const {
    if (is_any() || text_ == "null") return true;
    // If the fixed names of the host are less than a registered domain, anyone can own a match.
    const auto scheme_end = text_.find("://");
    auto host = std::string_view(text_).substr(scheme_end + 3);
    if (host.ends_with(":*")) host.remove_suffix(2);
    const auto star = host.rfind('*');
    if (star == host.npos) return false;
    const auto fixed = host.substr(star + 1);
    return !fixed.starts_with('.') || std::count(fixed.begin(), fixed.end(), '.') < 2;
}

result<std::vector<std::string>> parse_names(std::string_view text) {
    std::vector<std::string> out;
    error problem;
    each_entry(text, [&](std::string_view entry) {
        if (!is_token(entry)) problem = refused(entry, "is not a name");
        out.emplace_back(entry);
    });
    if (!problem.message.empty()) return problem;
    return out;
}

cross_origin::cross_origin(cross_origin_settings settings) : settings_(std::move(settings)) {
    any_ = !settings_.credentials && std::any_of(settings_.origins.begin(), settings_.origins.end(),
                                                 [](const origin_pattern& one) { return one.is_any(); });
}

bool cross_origin::allows(std::string_view origin) const {
    return std::any_of(settings_.origins.begin(), settings_.origins.end(),
                       [origin](const origin_pattern& one) { return one.matches(origin); });
}

bool cross_origin::is_preflight(const request& message) noexcept {
    return message.verb() == method::options && message.has(field::origin) &&
           !message.header("Access-Control-Request-Method").empty();
}

void cross_origin::add_origin(std::string_view origin, bool open, response& out) const {
    if (open || any_) {
        out.add_prepared("Access-Control-Allow-Origin: *\r\n");
        return;
    }
    if (allows(origin)) {
        out.add("Access-Control-Allow-Origin", origin);
        if (settings_.credentials) out.add_prepared("Access-Control-Allow-Credentials: true\r\n");
    }
    bool varies = false;
    out.for_each_field([&varies](std::string_view name, std::string_view value) {
        varies = varies || (equals_ignoring_case(name, "Vary") && value == "Origin");
    });
    if (!varies) out.add("Vary", "Origin");
}

void cross_origin::complete(const request& message, bool open, response& out) const {
    const bool shared = open || (enabled() && covers(message.path()));
    if (!shared || !out.header("Access-Control-Allow-Origin").empty()) return;
    add_origin(message.header(field::origin), open, out);
    if (is_preflight(message)) return;
    out.add_prepared("Access-Control-Expose-Headers: ETag, x-filename, Content-Disposition\r\n");
}

response cross_origin::answer_preflight(const request& message, std::string_view allow, bool open) const {
    const auto origin = message.header(field::origin);
    const auto wanted = message.header("Access-Control-Request-Method");
    if (!open && !any_ && !allows(origin)) {
        return error_response({errc::permission_denied, "Pages of this origin may not use this server"});
    }
    if (!open && !has_name(settings_.methods, wanted)) {
        return error_response({errc::permission_denied, "Pages of another origin may not use this method"});
    }
    response out = response::empty(204);
    if (!allow.empty()) out.add("Allow", allow);
    add_origin(origin, open, out);
    // An unknown path gets all methods, so that the page can read the 404.
    std::string methods;
    const auto add_name = [](std::string& list, std::string_view name) {
        list += (list.empty() ? "" : ", ") + std::string(name);
    };
    each_entry(allow.empty() ? std::string_view("GET, HEAD, POST, PUT, DELETE") : allow,
               [&](std::string_view name) {
                   if (open || has_name(settings_.methods, name)) add_name(methods, name);
               });
    out.add("Access-Control-Allow-Methods", methods);
    // Named one by one: "*" does not cover Authorization.
    std::string headers;
    each_entry(message.header("Access-Control-Request-Headers"), [&](std::string_view name) {
        if (is_token(name) && (open || has_name(settings_.headers, name))) add_name(headers, name);
    });
    if (!headers.empty()) out.add("Access-Control-Allow-Headers", headers);
    out.add("Access-Control-Max-Age", std::to_string(settings_.max_age.count()));
    out.add_prepared("Vary: Access-Control-Request-Method, Access-Control-Request-Headers\r\n");
    return out;
}

}  // namespace gallery::http
