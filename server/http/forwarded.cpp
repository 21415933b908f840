// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.hpp"

#include "http/ip_address.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>
#include <vector>

namespace gallery::http {
namespace {

namespace ip = boost::asio::ip;

/// "192.0.2.1", "2001:db8::1", and as some proxies write it "192.0.2.1:8080" or "[2001:db8::1]:8080".
std::optional<ip::address> parse_entry(std::string_view text) {
    text = trim(text);
    if (text.starts_with('[')) {
        text.remove_prefix(1);
        text = text.substr(0, text.find(']'));
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        text = text.substr(0, text.find(':'));
    }
    if (text.find('%') != text.npos) return std::nullopt;  // a zone means nothing to another machine
    boost::system::error_code failed;
    const auto address = ip::make_address(std::string(text), failed);
    if (failed) return std::nullopt;
    return unmapped(address);
}

/// All lines of a field in order; they are one list (RFC 9110, 5.3).
std::vector<std::string_view> lines_of(const request& message, std::string_view name) {
    std::vector<std::string_view> lines;
    const auto& head = message.head();
    for (std::size_t i = 0; i < head.field_count; ++i) {
        if (equals_ignoring_case(head.fields[i].name, name)) lines.push_back(head.fields[i].value);
    }
    return lines;
}

std::vector<std::string_view> entries_of(const request& message, std::string_view name) {
    std::vector<std::string_view> entries;
    for (auto line : lines_of(message, name)) {
        for (;;) {
            const auto comma = line.find(',');
            entries.push_back(trim(line.substr(0, comma)));
            if (comma == line.npos) break;
            line.remove_prefix(comma + 1);
        }
    }
    return entries;
}

/// Which of the addresses is the client's.
struct client_entry {
    std::string address;       ///< empty where none was understood
    std::size_t position = 0;  ///< in the list, where the address is not empty
};

/// @p for_each_from_the_end(fn) calls fn(entry) until it returns false.
template <class Walk>
std::string walk_to_client(const Walk& for_each_from_the_end, const proxy_trust& trusted) {
    std::string nearest;
    for_each_from_the_end([&](std::string_view entry) {
        const auto address = parse_entry(entry);
        if (!address) return false;
        nearest = address->to_string();
        return trusted(*address);
    });
    return nearest;
}

client_entry find_client(const std::vector<std::string_view>& entries, const proxy_trust& trusted) {
    client_entry found;
    std::size_t at = entries.size();
    found.address = walk_to_client(
        [&](auto fn) {
            while (at > 0 && fn(entries[at - 1]))
                --at;
        },
        trusted);
    // The walk stops at the client, at what is no address, or behind the first.
    found.position = std::max<std::size_t>(at, 1) - 1;
    return found;
}

/// One element of Forwarded (RFC 7239, 4).
struct forwarded_element {
    std::string node;  ///< "for"
    std::string proto;
    std::string host;
};

/// A token or quoted-string from the front of @p text.
std::optional<std::string> take_value(std::string_view& text) {
    std::string value;
    if (!text.starts_with('"')) {
        const auto end = std::min(text.find_first_of(" \t,;"), text.size());
        value = text.substr(0, end);
        text.remove_prefix(end);
        // Proxies leave out the quotes that an address with colons needs.
        const auto other = value.find_first_of("\"\\=()<>@?{}");
        return value.empty() || other != value.npos ? std::nullopt : std::optional(std::move(value));
    }
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return value;
        }
        if (text[i] == '\\' && ++i == text.size()) break;
        value += text[i];
    }
    return std::nullopt;
}

/// Empty if one element is malformed: the other elements are then not trusted either.
std::optional<std::vector<forwarded_element>> parse_forwarded(const request& message) {
    std::vector<forwarded_element> elements;
    for (auto rest : lines_of(message, "Forwarded")) {
        elements.emplace_back();
        while (!(rest = trim(rest)).empty()) {
            if (rest.front() == ',') {
                elements.emplace_back();
                rest.remove_prefix(1);
                continue;
            }
            if (rest.front() == ';') {
                rest.remove_prefix(1);
                continue;
            }
            const auto equals = rest.find('=');
            if (equals == rest.npos || !is_token(rest.substr(0, equals))) return std::nullopt;
            const auto name = rest.substr(0, equals);
            rest.remove_prefix(equals + 1);
            auto value = take_value(rest);
            const auto behind = trim(rest);
            if (!value || (!behind.empty() && behind.front() != ',' && behind.front() != ';')) {
                return std::nullopt;
            }
            auto& element = elements.back();
            auto* const known = equals_ignoring_case(name, "for")     ? &element.node
                                : equals_ignoring_case(name, "proto") ? &element.proto
                                : equals_ignoring_case(name, "host")  ? &element.host
                                                                      : nullptr;
            if (known != nullptr) *known = std::move(*value);
        }
    }
    return elements;
}

/// A proxy that writes one family of headers passes the other on as the client sent it. One family is
/// believed, then: X-Forwarded-* where there is any of them.
bool uses_x_forwarded(const request& message) {
    return message.has(field::x_forwarded_for) || message.has(field::x_forwarded_proto) ||
           !lines_of(message, "X-Forwarded-Host").empty() || !lines_of(message, "X-Forwarded-Port").empty();
}

std::optional<bool> parse_scheme(std::string_view text) {
    if (equals_ignoring_case(text, "https") || equals_ignoring_case(text, "wss")) return true;
    if (equals_ignoring_case(text, "http") || equals_ignoring_case(text, "ws")) return false;
    return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failure != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

struct authority {
    std::string_view name;  ///< an IPv6 address with its brackets
    std::optional<std::uint16_t> port;
};

constexpr std::string_view letters_and_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool consists_of(std::string_view text, std::string_view others) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return letters_and_digits.find(c) != letters_and_digits.npos || others.find(c) != others.npos;
    });
}

/// A name, IPv4 or bracketed IPv6 address, with or without a port.
std::optional<authority> parse_authority(std::string_view text) {
    authority out;
    std::string_view port;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == text.npos) return std::nullopt;
        boost::system::error_code failed;
        ip::make_address_v6(std::string(text.substr(1, close - 1)), failed);
        if (failed || text.substr(0, close).find('%') != text.npos) return std::nullopt;
        out.name = text.substr(0, close + 1);
        port = text.substr(close + 1);
    } else {
        out.name = text.substr(0, text.find(':'));
        if (out.name.empty() || !consists_of(out.name, "-._~")) return std::nullopt;
        port = text.substr(out.name.size());
    }
    if (port.empty() || port == ":") return out;
    out.port = parse_port(port.substr(1));
    if (port.front() != ':' || !out.port) return std::nullopt;
    return out;
}

/// The values from the trusted proxy; missing and malformed ones are empty.
struct statement {
    std::optional<bool> secure;
    std::optional<authority> host;
    std::optional<std::uint16_t> port;
};

statement read_x_forwarded(const request& message, const proxy_trust& trusted) {
    const auto addresses = entries_of(message, "X-Forwarded-For");
    const auto client = find_client(addresses, trusted);
    const auto entry = [&](std::string_view name) {
        const auto entries = entries_of(message, name);
        if (entries.empty()) return std::string_view();
        const bool belongs = !client.address.empty() && entries.size() == addresses.size();
        return entries[belongs ? client.position : 0];
    };
    return {parse_scheme(entry("X-Forwarded-Proto")), parse_authority(entry("X-Forwarded-Host")),
            parse_port(entry("X-Forwarded-Port"))};
}

client_entry find_client(const std::vector<forwarded_element>& elements, const proxy_trust& trusted) {
    std::vector<std::string_view> nodes;
    for (const auto& element : elements)
        nodes.push_back(element.node);
    return find_client(nodes, trusted);
}

bool is_from_proxy(const request& message) {
    return message.is_from_proxy() && message.front() != nullptr && message.front()->trusted;
}

/// The host is written as the client has to write it: without the port that the scheme means anyway.
std::string written(const authority& host, std::optional<std::uint16_t> port, bool secure) {
    std::string out(host.name);
    if (port && *port != (secure ? 443 : 80)) out += ':' + std::to_string(*port);
    return out;
}

}  // namespace

std::string client_view::url(std::string_view path) const {
    std::string out;
    if (!host.empty()) out.append(secure ? "https://" : "http://").append(host);
    out.append(prefix).append(path);
    return out;
}

std::string path_prefix(const request& message) {
    if (is_from_proxy(message)) {
        std::string prefix;
        bool sound = false;
        for (const auto entry : entries_of(message, "X-Forwarded-Prefix")) {
            const auto part = parse_path_prefix(entry);
            sound = part.has_value();
            if (!sound) break;
            prefix += *part;
        }
        if (sound) return prefix;
    }
    return message.front() != nullptr ? message.front()->base_path : std::string();
}

client_view view_of(const request& message) {
    client_view out;
    out.secure = message.is_secure();
    out.prefix = path_prefix(message);
    auto host = parse_authority(message.header(field::host));
    std::optional<std::uint16_t> port = host ? host->port : std::nullopt;
    std::vector<forwarded_element> elements;  // views of them are used to the end
    if (is_from_proxy(message)) {
        const auto& trusted = message.front()->trusted;
        statement said;
        if (uses_x_forwarded(message)) {
            said = read_x_forwarded(message, trusted);
        } else if (auto parsed = parse_forwarded(message); parsed && !parsed->empty()) {
            elements = std::move(*parsed);
            const auto client = find_client(elements, trusted);
            const auto& element = elements[client.address.empty() ? 0 : client.position];
            said = {parse_scheme(element.proto), parse_authority(element.host), std::nullopt};
        }
        out.secure = said.secure.value_or(out.secure);
        if (said.host) {
            host = said.host;
            port = host->port;
        }
        if (said.port) port = said.port;
    }
    if (host) {
        out.host = written(*host, port, out.secure);
    } else {
        out.host = message.header(field::host);
    }
    return out;
}

std::optional<std::string> parse_path_prefix(std::string_view text) {
    while (text.ends_with('/'))
        text.remove_suffix(1);
    if (text.empty()) return std::string();
    if (!text.starts_with('/') || text.size() > 1024) return std::nullopt;
    auto rest = text;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const auto segment = rest.substr(0, rest.find('/'));
        if (segment.empty() || segment == "." || segment == ".." || !consists_of(segment, "-._~+@:=")) {
            return std::nullopt;
        }
        rest.remove_prefix(segment.size());
    }
    return std::string(text);
}

std::string forwarded_client(const request& message, const proxy_trust& trusted) {
    if (!message.has(field::x_forwarded_for)) {
        if (uses_x_forwarded(message)) return {};
        const auto elements = parse_forwarded(message);
        return elements ? find_client(*elements, trusted).address : std::string();
    }
    return find_client(entries_of(message, "X-Forwarded-For"), trusted).address;
}

bool is_forwarded(const request& message) noexcept {
    constexpr std::string_view family = "X-Forwarded-";
    const auto& head = message.head();
    for (std::size_t i = 0; i < head.field_count; ++i) {
        const std::string_view name = head.fields[i].name;
        if (equals_ignoring_case(name.substr(0, family.size()), family)) return true;
        if (equals_ignoring_case(name, "Forwarded")) return true;
    }
    return false;
}

}  // namespace gallery::http
