// SPDX-License-Identifier: Apache-2.0
#include "http/head_parser.hpp"

#include "http/scan.hpp"

namespace gallery::http {

namespace {

constexpr head_outcome refuse(unsigned status, std::string_view message) noexcept {
    return {head_status::refused, 0, {status, message}};
}

constexpr std::size_t max_verb = 32;

std::string_view between(const char* first, const char* last) noexcept {
    return {first, static_cast<std::size_t>(last - first)};
}

/// What a scanner step found at a line's end.
enum class line_end : std::uint8_t { complete, missing, broken };

line_end take_line_end(const char*& at, const char* end) noexcept {
    if (at == end) return line_end::missing;
    if (*at != '\r') return line_end::broken;
    if (end - at < 2) return line_end::missing;
    if (at[1] != '\n') return line_end::broken;
    at += 2;
    return line_end::complete;
}

}  // namespace

// Absolute form is taken from every client (RFC 9112, 3.2.2).
bool split_target(request_head& head) noexcept {
    std::string_view rest = head.target;
    if (rest == "*") {
        head.path = rest;
        return true;
    }
    if (!rest.starts_with('/')) {
        const auto scheme = rest.find("://");
        if (scheme == rest.npos) return head.verb_text == "CONNECT";
        const auto name = rest.substr(0, scheme);
        if (!equals_ignoring_case(name, "http") && !equals_ignoring_case(name, "https")) return false;
        rest.remove_prefix(scheme + 3);
        const auto path = rest.find_first_of("/?");
        if (path == 0 || rest.empty()) return false;
        rest = path == rest.npos ? std::string_view() : rest.substr(path);
    }
    if (rest.find('#') != rest.npos) return false;
    const auto question = rest.find('?');
    head.path = rest.substr(0, question);
    if (question != rest.npos) head.query = rest.substr(question + 1);
    if (head.path.empty()) head.path = "/";
    return true;
}

namespace {

head_outcome parse_request_line(const char*& at, const char* end, const head_limits& limits,
                                request_head& head) noexcept {
    constexpr head_outcome incomplete;
    const char* mark = at;
    at = scan::token(at, end);
    if (at - mark > static_cast<std::ptrdiff_t>(max_verb)) return refuse(400, "The method is too long");
    if (at == end) return incomplete;
    if (at == mark || *at != ' ') return refuse(400, "The request does not start with a method");
    head.verb_text = between(mark, at);
    head.verb = boost::beast::http::string_to_verb(head.verb_text);

    mark = ++at;
    at = scan::target(at, end);
    if (static_cast<std::size_t>(at - mark) > limits.target_bytes) {
        return refuse(414, "The request's target is too long");
    }
    if (at == end) return incomplete;
    if (at == mark) return refuse(400, "The request has no target");
    head.target = between(mark, at);
    if (*at != ' ') return refuse(400, "The request's target contains a character that is not allowed there");

    mark = ++at;
    constexpr std::string_view protocol = "HTTP/";
    constexpr std::size_t length = protocol.size() + 3;  // HTTP/1.1
    const auto seen = between(mark, end).substr(0, length);
    if (seen.substr(0, protocol.size()) != protocol.substr(0, seen.size())) {
        return refuse(400, "The request line does not end in an HTTP version");
    }
    if (seen.size() < length) return incomplete;
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!digit(seen[5]) || seen[6] != '.' || !digit(seen[7])) {
        return refuse(400, "The request line does not end in an HTTP version");
    }
    if (seen[5] != '1') return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are supported");
    head.version = seen[7] == '0' ? 10 : 11;
    at += length;
    switch (take_line_end(at, end)) {
        case line_end::missing:
            return incomplete;
        case line_end::broken:
            return refuse(400, "The request line does not end with CR LF");
        case line_end::complete:
            break;
    }
    if (!split_target(head)) return refuse(400, "The request's target is neither a path nor an http URL");
    return {head_status::complete, 0, {}};
}

// The end of a field's name. What is spelled as a known name is a token already; only the others have to be
// looked at letter by letter.
const char* take_name(const char* at, const char* end, field& id) noexcept {
    if (const char* const colon = scan::near_colon(at, end)) {
        id = parse_field(between(at, colon));
        return id != field::other ? colon : scan::token(at, colon);
    }
    const char* const behind = scan::token(at, end);
    id = parse_field(between(at, behind));
    return behind;
}

head_outcome parse_field_line(const char*& at, const char* end, request_head& head) noexcept {
    constexpr head_outcome incomplete;
    auto id = field::other;
    const char* mark = at;
    at = take_name(at, end, id);
    if (at == end) return incomplete;
    if (at == mark && (*at == ' ' || *at == '\t')) {
        return refuse(400, "Header lines must not be folded");
    }
    if (at == mark || *at != ':') return refuse(400, "A header line has no valid name before a colon");
    const auto name = between(mark, at);
    mark = ++at;
    at = scan::value(at, end);
    if (at == end) return incomplete;
    const auto value = trim(between(mark, at));
    switch (take_line_end(at, end)) {
        case line_end::missing:
            return incomplete;
        case line_end::broken:
            return refuse(400, "A header's value contains a control character");
        case line_end::complete:
            break;
    }
    if (head.field_count == request_head::max_fields) return refuse(431, "The request has too many headers");
    head.append(name, value, id);
    return {head_status::complete, 0, {}};
}

head_outcome parse_all(const char* at, const char* end, const head_limits& limits,
                       request_head& head) noexcept {
    const char* const begin = at;
    while (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
        at += 2;
    if (at == end || (*at == '\r' && end - at == 1)) return {};
    auto step = parse_request_line(at, end, limits, head);
    while (step.status == head_status::complete) {
        if (at == end) return {};
        if (*at == '\r') {
            switch (take_line_end(at, end)) {
                case line_end::missing:
                    return {};
                case line_end::broken:
                    return refuse(400, "A CR without LF in the header");
                case line_end::complete:
                    break;
            }
            return {head_status::complete, static_cast<std::size_t>(at - begin), {}};
        }
        step = parse_field_line(at, end, head);
    }
    return step;
}

}  // namespace

head_outcome parse_head(std::string_view data, const head_limits& limits, request_head& head) noexcept {
    head.clear();
    const auto seen = data.substr(0, limits.head_bytes);
    auto outcome = parse_all(seen.data(), seen.data() + seen.size(), limits, head);
    if (outcome.status == head_status::incomplete && data.size() >= limits.head_bytes) {
        return refuse(431, "The request's header is too large");
    }
    return outcome;
}

}  // namespace gallery::http
