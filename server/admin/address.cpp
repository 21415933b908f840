// SPDX-License-Identifier: Apache-2.0
#include "admin/address.hpp"

#include "admin/arguments.hpp"

#include <algorithm>
#include <cstdint>

namespace gallery::admin {

namespace {

error wrong(std::string_view url, const std::string& what) {
    return {errc::invalid_argument, "'" + std::string(url.substr(0, 200)) + "' is not a server's address: " +
                                        what + ". Examples: http://127.0.0.1:8080, https://gallery.example"};
}

bool is_port(std::string_view text) {
    return whole_number(text, 1, 65'535).has_value();
}

}  // namespace

bool address::is_this_machine() const noexcept {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

result<address> parse_address(std::string_view url) {
    address out;
    auto rest = url;
    if (rest.starts_with("https://")) {
        out.tls = true;
        rest.remove_prefix(8);
    } else if (rest.starts_with("http://")) {
        rest.remove_prefix(7);
    } else {
        return wrong(url.find('@') == std::string_view::npos ? url : "...",
                     "it must start with http:// or https://");
    }
    const auto slash = std::min(rest.find('/'), rest.size());
    const auto authority = rest.substr(0, slash);
    auto base = rest.substr(slash);
    if (authority.find('@') != std::string_view::npos) {
        return error{errc::invalid_argument,
                     "the server's address contains a user name or a password, which others can read there. "
                     "Use --login and GALLERY_PASSWORD for them"};
    }
    const auto printable = [](char c) { return c > ' ' && c < 0x7f; };
    if (!std::all_of(rest.begin(), rest.end(), printable))
        return wrong("...", "it contains spaces or special characters");
    if (rest.find_first_of("?#") != std::string_view::npos) return wrong(url, "it contains a query");
    while (base.ends_with('/'))
        base.remove_suffix(1);
    out.base = base;

    std::string_view port;
    bool has_port = false;
    if (authority.starts_with('[')) {
        const auto close = authority.find(']');
        if (close == std::string_view::npos) return wrong(url, "a ']' is missing");
        out.host = authority.substr(1, close - 1);
        const auto after = authority.substr(close + 1);
        if (!after.empty() && after[0] != ':')
            return wrong(url, "there must be a ':' between ']' and the port");
        has_port = !after.empty();
        if (has_port) port = after.substr(1);
    } else {
        const auto colon = authority.find(':');
        if (colon != authority.rfind(':'))
            return wrong(url, "an IPv6 address must be in brackets: http://[::1]:8080");
        out.host = authority.substr(0, colon);
        has_port = colon != std::string_view::npos;
        if (has_port) port = authority.substr(colon + 1);
    }
    if (out.host.empty()) return wrong(url, "the host is missing");
    if (has_port && !is_port(port)) return wrong(url, "the port must be a number from 1 to 65535");
    out.port = has_port ? port : (out.tls ? "443" : "80");
    out.authority = authority;
    out.text = (out.tls ? "https://" : "http://") + out.authority + out.base;
    return out;
}

}  // namespace gallery::admin
