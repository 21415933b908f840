// SPDX-License-Identifier: Apache-2.0
#include "imaging/svg_metadata.hpp"

#include "imaging/xml.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>

#include <algorithm>

namespace gallery::imaging {
namespace {

// Walks over JSON text without building anything.
class json_reader {
public:
    explicit json_reader(std::string_view text) noexcept : text_(text) {}

    [[nodiscard]] bool done() const noexcept { return at_ >= text_.size(); }
    [[nodiscard]] char peek() const noexcept { return text_[at_]; }
    void advance() noexcept { ++at_; }

    void skip_blanks() noexcept {
        while (!done() && (peek() == ' ' || peek() == '\t' || peek() == '\r' || peek() == '\n'))
            advance();
    }

    // At a quote: decodes the string and moves behind it. Nothing where it does not end or is malformed.
    std::optional<std::string> string() {
        std::string out;
        advance();
        while (!done()) {
            const char c = peek();
            advance();
            if (c == '"') return out;
            if (c != '\\') {
                out.push_back(c);
                continue;
            }
            if (done() || !escape(out)) return std::nullopt;
        }
        return std::nullopt;
    }

    // At a quote: moves behind the string.
    void skip_string() noexcept {
        advance();
        while (!done()) {
            const char c = peek();
            advance();
            if (c == '"') return;
            if (c == '\\' && !done()) advance();
        }
    }

private:
    bool escape(std::string& out) {
        const char c = peek();
        advance();
        switch (c) {
            case '"':
            case '\\':
            case '/':
                out.push_back(c);
                return true;
            case 'b':
                out.push_back('\b');
                return true;
            case 'f':
                out.push_back('\f');
                return true;
            case 'n':
                out.push_back('\n');
                return true;
            case 'r':
                out.push_back('\r');
                return true;
            case 't':
                out.push_back('\t');
                return true;
            case 'u':
                break;
            default:
                return false;
        }
        auto unit = hex();
        if (!unit) return false;
        if (*unit >= 0xd800 && *unit < 0xdc00 && text_.substr(at_, 2) == "\\u") {
            const auto before = at_;
            at_ += 2;
            const auto low = hex();
            if (low && *low >= 0xdc00 && *low < 0xe000) {
                unit = 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00);
            } else {
                at_ = before;
            }
        }
        append_utf8(out, *unit);
        return true;
    }

    std::optional<char32_t> hex() noexcept {
        if (text_.size() - at_ < 4) return std::nullopt;
        char32_t value = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = peek();
            advance();
            const int digit = hex_value(c);
            if (digit < 0) return std::nullopt;
            value = value << 4 | static_cast<char32_t>(digit);
        }
        return value;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::optional<std::string> presentable(std::optional<std::string> title) {
    if (!title) return std::nullopt;
    std::string clean;
    for (const char c : *title) {
        const auto u = static_cast<unsigned char>(c);
        clean.push_back(u < 0x20 || u == 0x7f ? ' ' : c);
    }
    const auto first = clean.find_first_not_of(' ');
    if (first == clean.npos) return std::nullopt;
    return clean.substr(first, clean.find_last_not_of(' ') - first + 1);
}

}  // namespace

std::optional<std::string> json_title(std::string_view json) {
    json_reader reader(json);
    reader.skip_blanks();
    if (reader.done() || reader.peek() != '{') return std::nullopt;
    std::size_t depth = 0;
    bool name_expected = false;
    while (!reader.done()) {
        switch (reader.peek()) {
            case '{':
            case '[':
                ++depth;
                name_expected = depth == 1;
                reader.advance();
                break;
            case '}':
            case ']':
                if (--depth == 0) return std::nullopt;
                reader.advance();
                break;
            case ',':
                name_expected = depth == 1;
                reader.advance();
                break;
            case '"': {
                if (!name_expected) {
                    reader.skip_string();
                    break;
                }
                name_expected = false;
                const auto name = reader.string();
                if (!name) return std::nullopt;
                reader.skip_blanks();
                if (reader.done() || reader.peek() != ':') return std::nullopt;
                reader.advance();
                reader.skip_blanks();
                if (*name != "title") break;
                if (reader.done() || reader.peek() != '"') return std::nullopt;
                return reader.string();
            }
            default:
                reader.advance();
        }
    }
    return std::nullopt;
}

svg_metadata read_svg_metadata(std::string_view document) {
    const bool wide = xml::is_utf16(document);
    const std::string converted = wide ? xml::utf8_from_utf16(document) : std::string();
    const std::string_view text = wide ? std::string_view(converted) : document;

    svg_metadata found;
    found.size_without = document.size();
    xml::tokens reader(text);
    std::size_t begin = 0;
    std::string content;
    for (;;) {
        const auto t = reader.next();
        using enum xml::token::type;
        if (t.kind == end) {
            // An element that never ends is no metadata; the renderer refuses such a document anyway.
            return {.present = false, .title = std::nullopt, .size_without = document.size()};
        }
        if (!found.present) {
            if (t.kind != open || t.name != "tb:metadata") continue;
            found.present = true;
            begin = t.begin;
            if (!t.empty_element) continue;
        } else if (t.kind == cdata) {
            content += t.content;
            continue;
        } else if (t.kind == xml::token::type::text) {
            content += xml::unescape(t.content);
            continue;
        } else if (t.kind != close || t.name != "tb:metadata") {
            continue;
        }
        const auto length = t.end - begin;
        found.size_without -= std::min(document.size(), wide ? 2 * length : length);
        found.title = presentable(json_title(content));
        return found;
    }
}

}  // namespace gallery::imaging
