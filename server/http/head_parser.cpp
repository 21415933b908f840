#include "http/head_parser.hpp"

#include <array>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gallery::http {

namespace {

constexpr head_outcome refuse(unsigned status, std::string_view message) noexcept {
    return {head_status::refused, 0, {status, message}};
}

constexpr std::size_t max_verb = 32;

constexpr bool ends_value(unsigned char c) noexcept {
    return (c < 0x20 && c != '\t') || c == 0x7F;
}
constexpr bool ends_target(unsigned char c) noexcept {
    return c <= 0x20 || c >= 0x7F;
}

#if defined(__SSE2__)
__m128i load(const char* at) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// Bytes up to @p top, seen as unsigned.
__m128i up_to(__m128i block, char top) noexcept {
    return _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(top)), block);
}

unsigned value_ends(__m128i block) noexcept {
    const auto control = up_to(block, 0x1F);
    const auto tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
    const auto del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del)));
}

unsigned target_ends(__m128i block) noexcept {
    // As signed bytes, what is above 0x20 and below 0x7F is exactly what a target may have.
    const auto inside =
        _mm_and_si128(_mm_cmpgt_epi8(block, _mm_set1_epi8(0x20)), _mm_cmplt_epi8(block, _mm_set1_epi8(0x7F)));
    return static_cast<unsigned>(_mm_movemask_epi8(inside)) ^ 0xFFFFU;
}
#endif

/// The first byte that ends a field value; @p end if there is none.
const char* skip_value(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        if (const auto mask = value_ends(load(at)); mask != 0) return at + __builtin_ctz(mask);
    }
#endif
    while (at != end && !ends_value(static_cast<unsigned char>(*at)))
        ++at;
    return at;
}

const char* skip_target(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        if (const auto mask = target_ends(load(at)); mask != 0) return at + __builtin_ctz(mask);
    }
#endif
    while (at != end && !ends_target(static_cast<unsigned char>(*at)))
        ++at;
    return at;
}

constexpr auto token_table = [] {
    std::array<bool, 256> set{};
    for (int c = '0'; c <= '9'; ++c)
        set[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c)
        set[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c)
        set[static_cast<std::size_t>(c)] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
        set[static_cast<unsigned char>(c)] = true;
    return set;
}();

const char* skip_token(const char* at, const char* end) noexcept {
    while (at != end && token_table[static_cast<unsigned char>(*at)])
        ++at;
    return at;
}

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

// Target into path and query. Absolute form is taken from every client (RFC 9112, 3.2.2).
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

head_outcome parse_request_line(const char*& at, const char* end, const head_limits& limits,
                                request_head& head) noexcept {
    constexpr head_outcome incomplete;
    const char* mark = at;
    at = skip_token(at, end);
    if (at - mark > static_cast<std::ptrdiff_t>(max_verb)) return refuse(400, "The method is too long");
    if (at == end) return incomplete;
    if (at == mark || *at != ' ') return refuse(400, "The request does not begin with a method");
    head.verb_text = between(mark, at);
    head.verb = parse_method(head.verb_text);

    mark = ++at;
    at = skip_target(at, end);
    if (static_cast<std::size_t>(at - mark) > limits.target_bytes) {
        return refuse(414, "The request's target is too long");
    }
    if (at == end) return incomplete;
    if (at == mark) return refuse(400, "The request has no target");
    head.target = between(mark, at);
    if (*at != ' ') return refuse(400, "The request's target has a character that is not allowed there");

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
    if (seen[5] != '1') return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here");
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

head_outcome parse_field_line(const char*& at, const char* end, request_head& head) noexcept {
    constexpr head_outcome incomplete;
    const char* mark = at;
    at = skip_token(at, end);
    if (at == end) return incomplete;
    if (at == mark && (*at == ' ' || *at == '\t')) {
        return refuse(400, "Header lines must not be folded");
    }
    if (at == mark || *at != ':') return refuse(400, "A header line has no valid name in front of a colon");
    const auto name = between(mark, at);
    mark = ++at;
    at = skip_value(at, end);
    if (at == end) return incomplete;
    const auto value = trim(between(mark, at));
    switch (take_line_end(at, end)) {
        case line_end::missing:
            return incomplete;
        case line_end::broken:
            return refuse(400, "A header's value has a control character");
        case line_end::complete:
            break;
    }
    if (head.field_count == request_head::max_fields) return refuse(431, "The request has too many headers");
    head.append(name, value);
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
