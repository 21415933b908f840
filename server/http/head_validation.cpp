// SPDX-License-Identifier: Apache-2.0
#include "http/head_parser.hpp"

#include <gallery/characters.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace gallery::http {

namespace {

constexpr auto host_characters = [] {
    std::array<bool, 256> set{};
    for (std::size_t c = 0; c < 128; ++c)
        set[c] = is_ascii_alphanumeric(static_cast<char>(c));
    for (const char c : std::string_view("-._~!$&'()*+,;=%"))
        set[static_cast<unsigned char>(c)] = true;
    return set;
}();

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// uri-host [ ":" port ] of RFC 9110, 7.2, as far as it keeps surprises out: one name, IPv4 or bracketed IPv6.
bool is_host(std::string_view host) noexcept {
    if (host.empty()) return false;
    std::string_view port;
    bool has_port = false;
    if (host.front() == '[') {
        const auto close = host.find(']');
        if (close == host.npos || close == 1) return false;
        const auto inside = host.substr(1, close - 1);
        if (inside.find_first_not_of("0123456789abcdefABCDEF:.vV%-_~") != inside.npos) return false;
        const auto rest = host.substr(close + 1);
        if (rest.empty()) return true;
        if (rest.front() != ':') return false;
        port = rest.substr(1);
        has_port = true;
    } else {
        const auto colon = host.find(':');
        const auto name = host.substr(0, colon);
        if (name.empty()) return false;
        const bool sound = std::all_of(name.begin(), name.end(),
                                       [](char c) { return host_characters[static_cast<unsigned char>(c)]; });
        if (!sound) return false;
        has_port = colon != host.npos;
        if (has_port) port = host.substr(colon + 1);
    }
    return !has_port || (port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit));
}

std::optional<head_error> check_host(const request_head& head) noexcept {
    const auto at = head.first[static_cast<std::size_t>(field::host)];
    if (at == 0) {
        if (head.version == 10) return std::nullopt;
        return head_error{400, "The request has no Host header"};
    }
    const auto& line = head.fields[at - 1U];
    if (line.next != 0) return head_error{400, "The request has more than one Host header"};
    if (!is_host(line.value)) return head_error{400, "The Host header is malformed"};
    return std::nullopt;
}

template <class Function>
void each_value(const request_head& head, field id, Function&& fn) {
    for (std::size_t at = head.first[static_cast<std::size_t>(id)]; at != 0; at = head.fields[at - 1].next) {
        fn(head.fields[at - 1].value);
    }
}

template <class Function>
void each_element(std::string_view list, Function&& fn) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto element = trim(list.substr(0, comma));
        list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
        if (!element.empty()) fn(element);
    }
}

std::optional<head_error> check_transfer_encoding(const request_head& head) noexcept {
    if (head.version == 10) return head_error{400, "Transfer-Encoding is not allowed in HTTP/1.0"};
    if (head.first[static_cast<std::size_t>(field::content_length)] != 0) {
        return head_error{400, "A request must not have both Transfer-Encoding and Content-Length"};
    }
    std::size_t codings = 0;
    std::size_t chunked = 0;
    bool last_is_chunked = false;
    each_value(head, field::transfer_encoding, [&](std::string_view line) {
        each_element(line, [&](std::string_view coding) {
            ++codings;
            last_is_chunked = equals_ignoring_case(coding, "chunked");
            if (last_is_chunked) ++chunked;
        });
    });
    if (!last_is_chunked || chunked != 1) {
        return head_error{400, "The last Transfer-Encoding must be chunked, and chunked must occur once"};
    }
    if (codings != 1) return head_error{501, "Only the Transfer-Encoding chunked is supported"};
    if (head.fields[head.first[static_cast<std::size_t>(field::transfer_encoding)] - 1U].next != 0) {
        return head_error{400, "The request has more than one Transfer-Encoding"};
    }
    return std::nullopt;
}

// RFC 9110, 7.6.1. Proxy-Connection is not a field of HTTP, but Beast reads it as if it were Connection.
std::optional<head_error> read_connection(const request_head& head, framing& out) noexcept {
    out.keep_alive = head.version == 11;
    bool close = false;
    bool sound = true;
    each_value(head, field::connection, [&](std::string_view line) {
        each_element(line, [&](std::string_view option) {
            if (equals_ignoring_case(option, "close")) {
                close = true;
            } else if (equals_ignoring_case(option, "keep-alive")) {
                out.keep_alive = true;
            } else if (!is_token(option)) {
                sound = false;
            }
        });
    });
    if (close) out.keep_alive = false;
    if (head.first[static_cast<std::size_t>(field::proxy_connection)] != 0) {
        each_value(head, field::proxy_connection, [&](std::string_view line) {
            each_element(line, [&](std::string_view option) { sound = sound && is_token(option); });
        });
    }
    if (!sound) return head_error{400, "The Connection header is not a list of names"};
    return std::nullopt;
}

std::optional<head_error> read_content_length(const request_head& head, framing& out) noexcept {
    const auto& line = head.fields[head.first[static_cast<std::size_t>(field::content_length)] - 1U];
    if (line.next != 0) return head_error{400, "The request has more than one Content-Length"};
    const auto text = line.value;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out.length);
    const bool sound = failure == std::errc() && end == text.data() + text.size();
    // from_chars takes no sign for unsigned numbers, so digits are all that got here.
    if (!sound || out.length > ~std::uint64_t{0} / 2) {
        return head_error{400, "The Content-Length is not a number of bytes"};
    }
    out.body = out.length == 0 ? framing::kind::none : framing::kind::length;
    return std::nullopt;
}

}  // namespace

validation validate_head(const request_head& head) noexcept {
    validation out;
    auto& frame = out.framing;
    if (head.verb_text == "CONNECT") {
        out.error = head_error{400, "This server is not a proxy; CONNECT is not supported"};
        return out;
    }
    if (head.path == "*" && head.verb != method::options) {
        out.error = head_error{400, "The target '*' is allowed for OPTIONS only"};
        return out;
    }
    if ((out.error = check_host(head))) return out;

    const bool is_plain = head.is_plain();
    if (is_plain) {
        // Nothing of what follows here.
    } else if (head.first[static_cast<std::size_t>(field::transfer_encoding)] != 0) {
        if ((out.error = check_transfer_encoding(head))) return out;
        frame.body = framing::kind::chunked;
    } else if (head.first[static_cast<std::size_t>(field::content_length)] != 0) {
        if ((out.error = read_content_length(head, frame))) return out;
    }

    if ((out.error = read_connection(head, frame))) return out;

    if (is_plain) return out;
    if (head.version == 11) {  // RFC 9110, 10.1.1: ignored in HTTP/1.0
        each_value(head, field::expect, [&](std::string_view line) {
            each_element(line, [&](std::string_view expectation) {
                if (equals_ignoring_case(expectation, "100-continue")) {
                    frame.expects_continue = true;
                } else {
                    out.error = head_error{417, "Only the expectation 100-continue is supported"};
                }
            });
        });
    }
    return out;
}

}  // namespace gallery::http
