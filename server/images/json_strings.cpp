// SPDX-License-Identifier: Apache-2.0
#include "images/json_strings.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>

namespace gallery::images {
namespace {

namespace json = boost::json;

/// Nothing of the text is kept.
struct checking_handler {
    static constexpr std::size_t max_object_size = 0x7ffffffe;
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return true; }
    bool on_object_end(std::size_t, json::error_code&) { return true; }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t, json::error_code&) { return true; }
    bool on_key_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_key(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    bool on_double(double, json::string_view, json::error_code&) { return true; }
    bool on_bool(bool, json::error_code&) { return true; }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

/// Longer paths are of no use to a reader.
constexpr std::size_t longest_path = 400;

/// The position behind the quotation mark that ends the string which begins at @p begin.
std::size_t end_of_string(std::string_view text, std::size_t begin) noexcept {
    for (auto quote = text.find('"', begin + 1);; quote = text.find('"', quote + 1)) {
        // A mark behind an odd number of backslashes is a part of the string. Each backslash is counted for
        // the next mark only, so that this takes linear time.
        auto first = quote;
        while (text[first - 1] == '\\')
            --first;
        if ((quote - first) % 2 == 0) return quote + 1;
    }
}

unsigned code_unit(std::string_view digits) noexcept {
    unsigned unit = 0;
    for (const char c : digits.substr(0, 4))
        unit = unit << 4U | static_cast<unsigned>(hex_value(c));
    return unit;
}

}  // namespace

result<void> check_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = max_json_depth;
    json::basic_parser<checking_handler> parser(options);
    json::error_code ec;
    const auto used = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
        ec = json::error::extra_data;
    if (!ec) return {};
    if (ec == json::error::too_deep)
        return error{errc::invalid_argument, "The document is nested more than " +
                                                 std::to_string(max_json_depth) + " levels deep near byte " +
                                                 std::to_string(used) + ". Send one with fewer levels."};
    return error{errc::invalid_argument, "The document is not valid JSON: " + ec.message() + " near byte " +
                                             std::to_string(used) + ". Correct it, or export it again."};
}

std::string_view unescaped_text::next() {
    if (remaining_.empty()) return {};
    const auto backslash = remaining_.find('\\');
    if (backslash != 0) {
        const auto piece = remaining_.substr(0, backslash);
        remaining_.remove_prefix(piece.size());
        return piece;
    }
    const char escape = remaining_[1];
    std::size_t length = 2;
    character_.clear();
    switch (escape) {
        case 'b':
            character_ = '\b';
            break;
        case 'f':
            character_ = '\f';
            break;
        case 'n':
            character_ = '\n';
            break;
        case 'r':
            character_ = '\r';
            break;
        case 't':
            character_ = '\t';
            break;
        case 'u': {
            char32_t c = code_unit(remaining_.substr(2));
            length = 6;
            if ((c & 0xFC00U) == 0xD800) {  // its second half follows
                c = 0x10000 + ((c & 0x3FFU) << 10U | (code_unit(remaining_.substr(8)) & 0x3FFU));
                length = 12;
            }
            append_utf8(character_, c);
            break;
        }
        default:  // a quotation mark, a backslash or a slash
            character_ = escape;
    }
    remaining_.remove_prefix(length);
    return character_;
}

std::string unescape(std::string_view literal, std::size_t most) {
    std::string out;
    unescaped_text text(literal);
    for (auto piece = text.next(); !piece.empty() && out.size() < most; piece = text.next()) {
        auto length = std::min(piece.size(), most - out.size());
        if (piece.size() <= 4) length = piece.size();
        while (length < piece.size() && (static_cast<unsigned char>(piece[length]) & 0xC0U) == 0x80)
            ++length;
        out += piece.substr(0, length);
    }
    return out;
}

bool json_strings::next() {
    for (; at_ < text_.size(); ++at_) {
        switch (text_[at_]) {
            case '{':
            case '[': {
                const bool is_object = text_[at_] == '{';
                levels_.push_back({is_object, is_object, 0, {}});
                break;
            }
            case '}':
            case ']':
                levels_.pop_back();
                break;
            case ',':
                levels_.back().expects_name = levels_.back().is_object;
                ++levels_.back().index;
                break;
            case '"': {
                const auto begin = at_;
                at_ = end_of_string(text_, begin);
                if (!levels_.empty() && levels_.back().expects_name) {
                    levels_.back().name = text_.substr(begin + 1, at_ - begin - 2);
                    levels_.back().expects_name = false;
                    --at_;  // the loop goes on behind it
                    break;
                }
                begin_ = begin;
                end_ = at_;
                return true;
            }
            default:
                break;
        }
    }
    return false;
}

std::string_view json_strings::name() const noexcept {
    for (auto each = levels_.rbegin(); each != levels_.rend(); ++each) {
        if (each->is_object) return each->name;
    }
    return {};
}

std::string json_strings::path() const {
    std::string out;
    for (const auto& each : levels_) {
        if (out.size() > longest_path) return out += "...";
        out += '/';
        if (!each.is_object) {
            out += std::to_string(each.index);
            continue;
        }
        for (const char c : unescape(each.name, longest_path)) {
            if (c == '~') {
                out += "~0";
            } else if (c == '/') {
                out += "~1";
            } else {
                out += c;
            }
        }
        if (each.name.size() > longest_path) return out += "...";
    }
    return out;
}

}  // namespace gallery::images
