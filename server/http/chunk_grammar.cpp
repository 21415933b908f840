// SPDX-License-Identifier: Apache-2.0
#include "http/chunk_grammar.hpp"

#include "http/scan.hpp"

#include <gallery/encode.hpp>

#include <algorithm>

namespace gallery::http {

namespace {

constexpr bool is_blank(unsigned char c) noexcept {
    return c == ' ' || c == '\t';
}

bool is_token_character(unsigned char c) noexcept {
    return scan::token_characters[c];
}

}  // namespace

bool chunk_grammar::take_digit(unsigned char c) noexcept {
    const int digit = hex_value(static_cast<char>(c));
    if (digit < 0) return false;
    if (size_ >> 58 != 0) return false;  // a quarter of what 64 bits hold, so that sums do not overflow
    size_ = size_ << 4 | static_cast<unsigned>(digit);
    return step(part::size);
}

// Behind a size, a name or a value: another extension, or the end of the line. @p blank: where white space
// leads to.
bool chunk_grammar::after_element(unsigned char c, part blank) noexcept {
    if (is_blank(c)) return step(blank);
    if (c == ';') return step(part::before_name);
    if (c == '\r') return step(part::line_feed);
    return false;
}

bool chunk_grammar::end_line() noexcept {
    const auto line = consumed_ - line_at_ + 1;
    const auto free = 16 + 2 * size_;
    excess_ += line;
    excess_ -= std::min(excess_, free);
    if (excess_ > most_excess) return false;
    return step(size_ == 0 ? part::trailer_start : part::data);
}

bool chunk_grammar::take(unsigned char c) noexcept {
    switch (part_) {
        case part::size_start:
            line_at_ = consumed_;
            size_ = 0;
            return take_digit(c);
        case part::size:
            return take_digit(c) || after_element(c, part::before_semicolon);
        case part::before_semicolon:
            return is_blank(c) || (c == ';' && step(part::before_name));
        case part::before_name:
            return is_blank(c) || (is_token_character(c) && step(part::name));
        case part::name:
            if (is_token_character(c)) return true;
            return c == '=' ? step(part::before_value) : after_element(c, part::after_name);
        case part::after_name:
            if (is_blank(c)) return true;
            if (c == '=') return step(part::before_value);
            return c == ';' && step(part::before_name);
        case part::before_value:
            if (is_blank(c)) return true;
            if (c == '"') return step(part::quoted);
            return is_token_character(c) && step(part::token_value);
        case part::token_value:
            return is_token_character(c) || after_element(c, part::before_semicolon);
        case part::quoted:
            if (c == '"') return step(part::after_value);
            if (c == '\\') return step(part::escaped);
            return !scan::ends_value(c);
        case part::escaped:
            return !scan::ends_value(c) && step(part::quoted);
        case part::after_value:
            return after_element(c, part::before_semicolon);
        case part::line_feed:
            return c == '\n' && end_line();
        case part::data_return:
            return c == '\r' && step(part::data_feed);
        case part::data_feed:
            return c == '\n' && step(part::size_start);
        case part::trailer_start:
            if (c == '\r') return step(part::last_feed);
            return is_token_character(c) && step(part::trailer_name);
        case part::trailer_name:
            return is_token_character(c) || (c == ':' && step(part::trailer_value));
        case part::trailer_value:
            return c == '\r' ? step(part::trailer_feed) : !scan::ends_value(c);
        case part::trailer_feed:
            return c == '\n' && step(part::trailer_start);
        case part::last_feed:
            return c == '\n' && step(part::ended);
        case part::data:
        case part::ended:
            break;
    }
    return false;
}

chunk_grammar::outcome chunk_grammar::feed(std::string_view next) noexcept {
    outcome out;
    while (part_ != part::ended && out.consumed < next.size()) {
        if (part_ == part::data) {
            const auto seen = std::min<std::uint64_t>(size_, next.size() - out.consumed);
            size_ -= seen;
            data_bytes_ += seen;
            consumed_ += seen;
            out.consumed += static_cast<std::size_t>(seen);
            if (size_ == 0) {
                part_ = part::data_return;
                line_at_ = consumed_;
            }
            continue;
        }
        const bool fits = part_ == part::size_start || consumed_ - line_at_ < longest_line;
        if (!fits || !take(static_cast<unsigned char>(next[out.consumed]))) {
            out.what = verdict::malformed;
            return out;
        }
        ++consumed_;
        ++out.consumed;
    }
    if (part_ == part::ended) out.what = verdict::ended;
    return out;
}

}  // namespace gallery::http
