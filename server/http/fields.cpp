#include "http/fields.hpp"

#include <algorithm>
#include <array>

namespace gallery::http {

namespace {

constexpr std::array<std::string_view, 8> methods{"GET",    "HEAD",    "POST",  "PUT",
                                                  "DELETE", "OPTIONS", "PATCH", "other"};

struct field_name {
    std::string_view name;
    field id;
};

// In the enumeration's order; lower case.
constexpr std::array<field_name, known_fields> names{{
    {"accept", field::accept},
    {"accept-encoding", field::accept_encoding},
    {"authorization", field::authorization},
    {"connection", field::connection},
    {"content-encoding", field::content_encoding},
    {"content-length", field::content_length},
    {"content-type", field::content_type},
    {"cookie", field::cookie},
    {"expect", field::expect},
    {"host", field::host},
    {"if-match", field::if_match},
    {"if-modified-since", field::if_modified_since},
    {"if-none-match", field::if_none_match},
    {"if-range", field::if_range},
    {"if-unmodified-since", field::if_unmodified_since},
    {"origin", field::origin},
    {"range", field::range},
    {"referer", field::referer},
    {"te", field::te},
    {"trailer", field::trailer},
    {"transfer-encoding", field::transfer_encoding},
    {"upgrade", field::upgrade},
    {"user-agent", field::user_agent},
    {"x-authorization", field::x_authorization},
    {"x-forwarded-for", field::x_forwarded_for},
    {"x-forwarded-proto", field::x_forwarded_proto},
    {"x-request-id", field::x_request_id},
}};

// One table look-up by length, first and last letter leaves at most one or two candidates to compare.
constexpr std::size_t slot_of(std::size_t length, char first, char last) noexcept {
    return (length * 7 + (static_cast<unsigned char>(first) | 0x20U) * 3 +
            (static_cast<unsigned char>(last) | 0x20U)) &
           127U;
}

struct name_table {
    std::array<std::uint8_t, 128> head{};  // position + 1
    std::array<std::uint8_t, known_fields> next{};
    constexpr name_table() {
        for (std::size_t i = known_fields; i-- > 0;) {
            const auto& name = names[i].name;
            auto& slot = head[slot_of(name.size(), name.front(), name.back())];
            next[i] = slot;
            slot = static_cast<std::uint8_t>(i + 1);
        }
    }
};
constexpr name_table table;

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

constexpr auto token_characters = [] {
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

}  // namespace

std::string_view to_string(method verb) noexcept {
    return methods[static_cast<std::size_t>(verb)];
}

method parse_method(std::string_view text) noexcept {
    for (std::size_t i = 0; i + 1 < methods.size(); ++i) {
        if (text == methods[i]) return static_cast<method>(i);
    }
    return method::other;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(),
                      [](char a, char b) { return a == b || lower(a) == lower(b); });
}

field parse_field(std::string_view name) noexcept {
    if (name.empty()) return field::other;
    for (std::size_t at = table.head[slot_of(name.size(), name.front(), name.back())]; at != 0;
         at = table.next[at - 1]) {
        if (equals_ignoring_case(name, names[at - 1].name)) return names[at - 1].id;
    }
    return field::other;
}

std::string_view trim(std::string_view text) noexcept {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return token_characters[static_cast<unsigned char>(c)];
    });
}

}  // namespace gallery::http
