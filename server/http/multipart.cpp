// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"

#include "http/disposition.hpp"
#include "http/fields.hpp"
#include "http/media_type.hpp"

#include <gallery/characters.hpp>
#include <gallery/text.hpp>

#include <algorithm>
#include <cstring>

namespace gallery::http {

namespace {

error broken(std::string message) {
    return {errc::invalid_argument, "Malformed multipart body: " + std::move(message)};
}

// bcharsnospace and space of RFC 2046, 5.1.1; not ending in a space.
bool is_boundary(std::string_view text) noexcept {
    constexpr std::string_view others = "'()+_,-./:=? ";
    return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_ascii_alphanumeric(c) || others.find(c) != others.npos; });
}

}  // namespace

result<multipart_parser> multipart_parser::create(std::string_view content_type, multipart_limits limits) {
    const auto type = media_type::parse(content_type);
    if (!type || !type->is("multipart/form-data")) {
        const auto shown = is_utf8(content_type) ? content_type : std::string_view("an unreadable type");
        return error{errc::unsupported_type,
                     "Expected multipart/form-data, found '" + std::string(shown) + "'"};
    }
    auto boundary = type->parameter("boundary");
    if (!boundary) return broken("its Content-Type has no boundary");
    if (!is_boundary(*boundary))
        return broken(
            "the boundary contains characters that are not allowed, or has more than 70 characters");
    return multipart_parser(std::move(*boundary), limits);
}

multipart_parser::multipart_parser(std::string boundary, multipart_limits limits)
    : delimiter_("\r\n--" + std::move(boundary)),
      limits_(limits),
      matched_(2) {}  // the first delimiter may begin the body, as if a line had ended before it

void multipart_parser::feed(std::span<const char> chunk) noexcept {
    input_ = chunk;
}

result<multipart_event> multipart_parser::next() {
    data_ = {};
    for (;;) {
        if (state_ == state::epilogue) {
            input_ = {};
            return multipart_event::need_more;
        }
        if (input_.empty()) return multipart_event::need_more;
        auto event = state_ == state::preamble        ? read_preamble()
                     : state_ == state::boundary_tail ? read_boundary_tail()
                     : state_ == state::head          ? read_head()
                                                      : read_content();
        if (!event || *event != multipart_event::need_more) return event;
    }
}

// The preamble is looked through like content and thrown away.
result<multipart_event> multipart_parser::read_preamble() {
    auto event = read_content();
    data_ = {};
    if (event && *event == multipart_event::data) return multipart_event::need_more;
    return event;
}

// Behind a delimiter: "--" ends the body, otherwise white space and CRLF begin a part.
result<multipart_event> multipart_parser::read_boundary_tail() {
    while (!input_.empty()) {
        const char c = input_.front();
        input_ = input_.subspan(1);
        line_ += c;
        if (line_ == "--") {
            line_.clear();
            state_ = state::epilogue;
            return multipart_event::end;
        }
        if (c == '\n' && line_.ends_with("\r\n")) {
            if (!trim(std::string_view(line_).substr(0, line_.size() - 2)).empty()) {
                return broken("characters after a boundary");
            }
            if (++parts_ > limits_.parts) {
                return broken("more than " + std::to_string(limits_.parts) + " parts");
            }
            line_.clear();
            state_ = state::head;
            return multipart_event::need_more;
        }
        const bool may_follow = c == ' ' || c == '\t' || c == '\r' || line_ == "-";
        if (!may_follow || line_.size() > 128) return broken("characters after a boundary");
    }
    return multipart_event::need_more;
}

result<multipart_event> multipart_parser::read_head() {
    while (!input_.empty()) {
        const auto* newline = static_cast<const char*>(std::memchr(input_.data(), '\n', input_.size()));
        const auto length = newline ? static_cast<std::size_t>(newline - input_.data()) + 1 : input_.size();
        line_.append(input_.data(), length);
        input_ = input_.subspan(length);
        if (line_.size() > limits_.head_bytes) {
            return error{errc::invalid_argument, "Malformed multipart body: a part's header is over " +
                                                     std::to_string(limits_.head_bytes) + " bytes"};
        }
        if (line_ == "\r\n" || line_.ends_with("\r\n\r\n")) {
            if (auto parsed = parse_part_head(); !parsed) return std::move(parsed.error());
            line_.clear();
            in_part_ = true;
            matched_ = held_prefix_ = 2;  // a part without content may end with its header's last line
            state_ = state::content;
            return multipart_event::part;
        }
    }
    return multipart_event::need_more;
}

result<void> multipart_parser::parse_part_head() {
    part_ = {};
    bool described = false;
    std::string_view rest = line_;
    while (rest != "\r\n" && !rest.empty()) {
        const auto end = rest.find("\r\n");
        auto line = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        const auto colon = line.find(':');
        if (colon == line.npos || !is_token(line.substr(0, colon))) {
            return broken("a line in a part's header has no name");
        }
        const auto value = trim(line.substr(colon + 1));
        const bool has_control = std::any_of(value.begin(), value.end(), [](char c) {
            const auto octet = static_cast<unsigned char>(c);
            return (octet < 0x20 && c != '\t') || octet == 0x7F;
        });
        if (has_control) return broken("a control character in a part's header");
        const auto name = line.substr(0, colon);
        if (equals_ignoring_case(name, "Content-Disposition")) {
            auto form = parse_form_disposition(value);
            if (!form || described) {
                return broken("a part's Content-Disposition is not form-data with a name");
            }
            described = true;
            if (!is_utf8(form->name)) return broken("a part's name is not valid UTF-8");
            part_.name = std::move(form->name);
            part_.file_name = std::move(form->file_name);
        } else if (equals_ignoring_case(name, "Content-Type")) {
            part_.content_type = value;
        } else if (equals_ignoring_case(name, "Content-Transfer-Encoding")) {
            if (!equals_ignoring_case(value, "binary") && !equals_ignoring_case(value, "8bit") &&
                !equals_ignoring_case(value, "7bit")) {
                return broken("a part's Content-Transfer-Encoding is not binary");
            }
        }
    }
    if (!described) return broken("a part has no Content-Disposition");
    return {};
}

// Content up to the next delimiter. What may be the beginning of one is held back (only its length, since its
// bytes are known) until the bytes behind it tell.
result<multipart_event> multipart_parser::read_content() {
    const std::string_view in(input_.data(), input_.size());
    if (matched_ > 0) {  // in the middle of what may be a delimiter
        std::size_t at = 0;
        while (at < in.size() && matched_ < delimiter_.size() && in[at] == delimiter_[matched_]) {
            ++at;
            ++matched_;
        }
        if (matched_ == delimiter_.size()) {
            input_ = input_.subspan(at);
            matched_ = 0;
            held_prefix_ = 0;
            state_ = state::boundary_tail;
            line_.clear();
            if (std::exchange(in_part_, false)) return multipart_event::part_end;
            return multipart_event::need_more;
        }
        if (at == in.size()) {
            input_ = {};
            return multipart_event::need_more;
        }
        // It was none. CR occurs in a delimiter only at its front, so nothing inside can begin another.
        held_.assign(delimiter_, held_prefix_, matched_ - held_prefix_);
        input_ = input_.subspan(at);
        matched_ = 0;
        held_prefix_ = 0;
        if (!held_.empty()) {
            data_ = held_;
            return multipart_event::data;
        }
        return multipart_event::need_more;
    }
    // Whole delimiters are looked for at once; a carriage return in a picture is no event.
    auto found = in.find(delimiter_);
    if (found == in.npos) {
        // The tail may be the beginning of one.
        const auto tail_from = in.size() >= delimiter_.size() ? in.size() - delimiter_.size() + 1 : 0;
        found = in.find('\r', tail_from);
        while (found != in.npos && !std::string_view(delimiter_).starts_with(in.substr(found))) {
            found = in.find('\r', found + 1);
        }
        if (found == in.npos) found = in.size();
    }
    if (found == 0) {
        matched_ = 1;
        input_ = input_.subspan(1);
        return multipart_event::need_more;
    }
    data_ = input_.first(found);
    input_ = input_.subspan(found);
    return multipart_event::data;
}

result<void> multipart_parser::finish() const {
    if (state_ == state::epilogue) return {};
    if (state_ == state::preamble) return broken("it has no boundary in it");
    return broken("it ends before its closing boundary");
}

task<result<multipart_event>> multipart_reader::next() {
    for (;;) {
        auto event = parser_.next();
        if (!event) co_return event;
        if (*event == multipart_event::end) {
            ended_ = true;
            continue;  // what follows is read to its end, so that the connection can go on
        }
        if (*event != multipart_event::need_more) co_return event;
        auto piece = co_await body_->read_some();
        if (!piece) co_return std::move(piece.error());
        if (piece->empty()) {
            if (ended_) co_return multipart_event::end;
            if (auto complete = parser_.finish(); !complete) co_return std::move(complete.error());
        }
        parser_.feed(*piece);
    }
}

}  // namespace gallery::http
