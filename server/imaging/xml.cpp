// SPDX-License-Identifier: Apache-2.0
#include "imaging/xml.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace gallery::imaging::xml {
namespace {

constexpr std::string_view blanks = " \t\r\n";

bool name_end(char c) noexcept {
    return blanks.find(c) != blanks.npos || c == '>' || c == '/' || c == '<' || c == '=' || c == '"' ||
           c == '\'';
}

bool name_start(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool big_endian(std::string_view d) noexcept {
    return d[0] == '\xfe' || d[0] == '\0';
}

}  // namespace

bool is_utf16(std::string_view d) noexcept {
    if (d.size() < 4) return false;
    if ((d[0] == '\xff' && d[1] == '\xfe') || (d[0] == '\xfe' && d[1] == '\xff')) return true;
    return (d[0] == '<' && d[1] == '\0' && d[2] != '\0' && d[3] == '\0') ||
           (d[0] == '\0' && d[1] == '<' && d[2] == '\0' && d[3] != '\0');
}

std::string utf8_from_utf16(std::string_view d) {
    std::string out;
    if (d.size() < 2) return out;
    out.reserve(d.size() / 2);
    const std::size_t high = big_endian(d) ? 0 : 1;
    const auto unit = [&](std::size_t i) -> char32_t {
        return static_cast<char32_t>(static_cast<unsigned char>(d[i + high])) << 8 |
               static_cast<unsigned char>(d[i + 1 - high]);
    };
    std::size_t i = unit(0) == 0xfeff ? 2 : 0;
    for (; i + 2 <= d.size(); i += 2) {
        char32_t c = unit(i);
        if (c >= 0xd800 && c < 0xdc00 && i + 4 <= d.size()) {
            if (const char32_t low = unit(i + 2); low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        append_utf8(out, c);
    }
    return out;
}

std::size_t tokens::behind(std::string_view what, std::size_t from) const noexcept {
    const auto found = document_.find(what, from);
    return found == document_.npos ? document_.size() : found + what.size();
}

token tokens::next() noexcept {
    token t;
    t.begin = t.end = position_;
    if (position_ >= document_.size()) return t;
    const auto rest = document_.substr(position_);
    const auto delimited = [&](token::type kind, std::string_view open, std::string_view close) {
        t.kind = kind;
        t.end = behind(close, position_ + open.size());
        const auto inner = document_.substr(t.begin + open.size(), t.end - t.begin - open.size());
        t.content = inner.ends_with(close) ? inner.substr(0, inner.size() - close.size()) : inner;
    };
    if (rest[0] != '<') {
        t.kind = token::type::text;
        t.end = std::min(document_.find('<', position_), document_.size());
        t.content = document_.substr(t.begin, t.end - t.begin);
    } else if (rest.starts_with("<!--")) {
        delimited(token::type::comment, "<!--", "-->");
    } else if (rest.starts_with("<![CDATA[")) {
        delimited(token::type::cdata, "<![CDATA[", "]]>");
    } else if (rest.starts_with("<?")) {
        delimited(token::type::instruction, "<?", "?>");
    } else if (rest.starts_with("<!")) {
        t = doctype(position_);
    } else if (rest.size() > 1 &&
               (name_start(rest[1]) || (rest[1] == '/' && rest.size() > 2 && name_start(rest[2])))) {
        t = tag(position_);
    } else {  // a stray "<"
        t.kind = token::type::text;
        t.end = position_ + 1;
        t.content = rest.substr(0, 1);
    }
    position_ = t.end;
    return t;
}

token tokens::tag(std::size_t begin) noexcept {
    token t;
    t.begin = begin;
    std::size_t i = begin + 1;
    t.kind = token::type::open;
    if (document_[i] == '/') {
        t.kind = token::type::close;
        ++i;
    }
    const auto name_begin = i;
    while (i < document_.size() && !name_end(document_[i]))
        ++i;
    t.name = document_.substr(name_begin, i - name_begin);
    char quote = '\0';
    for (; i < document_.size(); ++i) {
        const char c = document_[i];
        if (quote != '\0') {
            if (c == quote) quote = '\0';
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            t.empty_element = document_[i - 1] == '/';
            ++i;
            break;
        }
    }
    t.end = i;
    return t;
}

// A document type ends at the first ">" outside quotes, comments and its internal subset.
token tokens::doctype(std::size_t begin) noexcept {
    token t;
    t.kind = token::type::doctype;
    t.begin = begin;
    char quote = '\0';
    bool subset = false;
    std::size_t i = begin + 2;
    while (i < document_.size()) {
        const char c = document_[i];
        if (quote != '\0') {
            if (c == quote) quote = '\0';
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '<' && document_.substr(i, 4) == "<!--") {
            i = behind("-->", i + 4);
            continue;
        } else if (c == '[') {
            subset = true;
        } else if (c == ']') {
            subset = false;
        } else if (c == '>' && !subset) {
            ++i;
            break;
        }
        ++i;
    }
    t.end = i;
    t.content = document_.substr(begin, i - begin);
    return t;
}

attributes::attributes(std::string_view tag) noexcept {
    std::size_t i = 1;
    while (i < tag.size() && !name_end(tag[i]))
        ++i;
    rest_ = tag.substr(std::min(i, tag.size()));
}

std::optional<attribute> attributes::next() noexcept {
    const auto first = rest_.find_first_not_of(" \t\r\n/");
    if (first == rest_.npos) return std::nullopt;
    rest_.remove_prefix(first);
    const auto equals = rest_.find_first_of("=>");
    if (equals == rest_.npos || rest_[equals] == '>') return std::nullopt;
    attribute a;
    a.name = rest_.substr(0, rest_.find_first_of(" \t\r\n="));
    const auto quote = rest_.find_first_not_of(blanks, equals + 1);
    if (quote == rest_.npos || (rest_[quote] != '"' && rest_[quote] != '\'')) return std::nullopt;
    const auto end = rest_.find(rest_[quote], quote + 1);
    if (end == rest_.npos) return std::nullopt;
    a.value = rest_.substr(quote + 1, end - quote - 1);
    rest_.remove_prefix(end + 1);
    return a;
}

root_element find_root(std::string_view document) noexcept {
    tokens reader(document);
    for (;;) {
        const auto t = reader.next();
        switch (t.kind) {
            case token::type::comment:
            case token::type::instruction:
                break;
            case token::type::text:
                if (t.content.find_first_not_of(blanks) != t.content.npos) return {};
                break;
            case token::type::doctype: {
                constexpr std::string_view of_html = "<!doctype html";
                if (equals_ignoring_case(t.content.substr(0, of_html.size()), of_html))
                    return {.name = {}, .html_doctype = true};
                break;
            }
            case token::type::open:
                return {.name = t.name, .html_doctype = false};
            default:
                return {};
        }
    }
}

std::string unescape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    constexpr std::array<std::pair<std::string_view, char>, 5> named{
        {{"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}}};
    while (!text.empty()) {
        const auto amp = std::min(text.find('&'), text.size());
        out.append(text.substr(0, amp));
        text.remove_prefix(amp);
        if (text.empty()) break;
        const auto body = text.substr(1);
        std::size_t used = 0;
        for (const auto& [name, character] : named) {
            if (body.starts_with(name)) {
                out.push_back(character);
                used = 1 + name.size();
            }
        }
        if (used == 0 && body.starts_with('#')) {
            const bool hex = body.size() > 1 && body[1] == 'x';
            const std::size_t first = hex ? 2 : 1;
            char32_t value = 0;
            std::size_t i = first;
            for (; i < body.size() && i < first + 8; ++i) {
                const char c = body[i];
                const int digit = hex_value(c);
                if (digit < 0 || (!hex && digit > 9)) break;
                value = value * (hex ? 16 : 10) + static_cast<char32_t>(digit);
            }
            if (i > first && i < body.size() && body[i] == ';') {
                append_utf8(out, value);
                used = i + 2;
            }
        }
        if (used == 0) {
            out.push_back('&');
            used = 1;
        }
        text.remove_prefix(used);
    }
    return out;
}

}  // namespace gallery::imaging::xml
