// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/drawing.hpp"

#include "imaging/xml.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace gallery::imaging::worker {
namespace {

using namespace std::string_view_literals;

constexpr auto svg_namespace = "http://www.w3.org/2000/svg"sv;
constexpr auto blanks = " \t\r\n"sv;

std::string_view local_name(std::string_view name) noexcept {
    const auto colon = name.rfind(':');
    return colon == name.npos ? name : name.substr(colon + 1);
}

struct root {
    xml::token element;
    std::string_view doctype;
};

root root_of(std::string_view document) {
    root found;
    xml::tokens reader(document);
    for (;;) {
        const auto t = reader.next();
        if (t.kind == xml::token::type::doctype) found.doctype = t.content;
        if (t.kind == xml::token::type::end || t.kind == xml::token::type::open) {
            found.element = t;
            return found;
        }
    }
}

std::optional<std::string_view> attribute_of(std::string_view document, const xml::token& element,
                                             std::string_view name) {
    xml::attributes all(document.substr(element.begin, element.end - element.begin));
    while (const auto a = all.next()) {
        if (a->name == name) return a->value;
    }
    return std::nullopt;
}

// The value of <!ENTITY name "value"> in a document type.
std::string_view entity(std::string_view doctype, std::string_view name) {
    constexpr auto mark = "<!ENTITY"sv;
    for (auto at = doctype.find(mark); at != doctype.npos; at = doctype.find(mark, at + 1)) {
        auto rest = doctype.substr(at + mark.size());
        const auto first = rest.find_first_not_of(blanks);
        if (first == rest.npos || !rest.substr(first).starts_with(name)) continue;
        rest.remove_prefix(first + name.size());
        const auto quote = rest.find_first_not_of(blanks);
        if (quote == 0 || quote == rest.npos || (rest[quote] != '"' && rest[quote] != '\'')) continue;
        const auto end = rest.find(rest[quote], quote + 1);
        if (end != rest.npos) return rest.substr(quote + 1, end - quote - 1);
    }
    return {};
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int octet = text[i] == '%' && i + 2 < text.size() ? hex_octet(text[i + 1], text[i + 2]) : -1;
        if (octet >= 0) {
            out.push_back(static_cast<char>(octet));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

// As browsers do it, with what comes before the first wrong character.
std::string base64_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size() / 4 * 3);
    base64_reader reader;
    if (reader.feed(text, out)) (void)reader.finish(out);
    return out;
}

bool styles_beyond(std::string_view css) {
    return css.find("@font-face") != css.npos || css.find("var(") != css.npos;
}

}  // namespace

bool in_svg_namespace(std::string_view document) {
    const auto [element, doctype] = root_of(document);
    const auto colon = element.name.find(':');
    const auto name = colon == element.name.npos ? std::string("xmlns")
                                                 : "xmlns:" + std::string(element.name.substr(0, colon));
    const auto value = attribute_of(document, element, name);
    // An attribute may have its value by default.
    if (!value) return doctype.find("ATTLIST") != doctype.npos && doctype.find(svg_namespace) != doctype.npos;
    if (value->starts_with('&') && value->ends_with(';') &&
        entity(doctype, value->substr(1, value->size() - 2)) == svg_namespace)
        return true;
    return xml::unescape(*value) == svg_namespace;
}

bool has_font_size(std::string_view document) {
    const auto element = root_of(document).element;
    if (attribute_of(document, element, "font-size")) return true;
    const auto style = attribute_of(document, element, "style");
    return style && style->find("font") != style->npos;
}

bool beyond_librsvg(std::string_view document) {
    constexpr std::array elements{"foreignObject"sv, "textPath"sv, "video"sv, "canvas"sv, "iframe"sv};
    xml::tokens reader(document);
    bool in_style = false;
    for (;;) {
        const auto t = reader.next();
        using enum xml::token::type;
        if (t.kind == end) return false;
        if (t.kind == text || t.kind == cdata) {
            if (in_style && styles_beyond(t.content)) return true;
        } else if (t.kind == open) {
            const auto name = local_name(t.name);
            if (std::ranges::find(elements, name) != elements.end()) return true;
            in_style = name == "style" && !t.empty_element;
            const auto tag = document.substr(t.begin, t.end - t.begin);
            // Elements of other namespaces may say what they like.
            if (t.name == name && tag.find("var(") != tag.npos) return true;
        } else if (t.kind == close) {
            in_style = false;
        }
    }
}

std::optional<data_url> parse_data_url(std::string_view url) {
    const auto first = url.find_first_not_of(blanks);
    if (first == url.npos) return std::nullopt;
    url.remove_prefix(first);
    if (ascii_lower(url.substr(0, 5)) != "data:") return std::nullopt;
    const auto comma = url.find(',');
    if (comma == url.npos) return std::nullopt;
    const auto head = ascii_lower(url.substr(5, comma - 5));
    data_url out;
    out.media_type = head.substr(0, head.find_first_of("; "));
    out.base64 = head.find(";base64") != head.npos || head.find("; base64") != head.npos;
    const auto content = url.substr(comma + 1);
    out.content = percent_decoded(content);
    if (out.base64) out.content = base64_decoded(out.content);
    return out;
}

std::string to_data_url(std::string_view png) {
    std::string out = "data:image/png;base64,";
    append_base64(png, out);
    return out;
}

std::string replace_pictures(std::string_view document,
                             const std::function<std::optional<std::string>(const data_url&)>& replacement) {
    std::string out;
    std::size_t copied = 0;
    xml::tokens reader(document);
    for (;;) {
        const auto t = reader.next();
        if (t.kind == xml::token::type::end) break;
        if (t.kind != xml::token::type::open) continue;
        const auto name = local_name(t.name);
        if (name != "image" && name != "feImage") continue;
        xml::attributes all(document.substr(t.begin, t.end - t.begin));
        while (const auto a = all.next()) {
            if (local_name(a->name) != "href") continue;
            const auto url = parse_data_url(xml::unescape(a->value));
            if (!url) continue;
            if (const auto png = replacement(*url)) {
                const auto begin = static_cast<std::size_t>(a->value.data() - document.data());
                out.append(document.substr(copied, begin - copied)).append(to_data_url(*png));
                copied = begin + a->value.size();
            }
        }
    }
    return out.append(document.substr(copied));
}

}  // namespace gallery::imaging::worker
