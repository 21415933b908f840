// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.hpp"

#include "http/beast_text.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <limits>
#include <optional>

namespace gallery::http {

namespace beast = boost::beast;

namespace {

/// Passes on what Beast finds.
class callbacks final : public beast::http::basic_parser<true> {
public:
    explicit callbacks(request_head& out) : head(out) {
        // Both are bounded before: the head by parse_head(), the body by the reader.
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(boost::none);
    }

    request_head& head;
    std::span<const char> data;
    std::string_view extensions;

private:
    using text = beast::string_view;
    using code = beast::error_code;
    void on_request_impl(beast::http::verb verb, text method, text target, int version,
                         code& failure) override {
        head.verb = verb;
        head.verb_text = from_beast(method);
        head.target = from_beast(target);
        head.version = static_cast<std::uint8_t>(version);
        if (!split_target(head)) failure = beast::http::error::bad_target;
    }
    void on_response_impl(int, text, int, code&) override {}
    void on_field_impl(beast::http::field, text name, text value, code& failure) override {
        if (head.field_count == request_head::max_fields) {
            failure = beast::http::error::header_limit;
            return;
        }
        head.append(from_beast(name), from_beast(value), http::parse_field(from_beast(name)));
    }
    void on_header_impl(code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, code&) override {}
    std::size_t on_body_impl(text body, code&) override { return take(body); }
    void on_chunk_header_impl(std::uint64_t, text found, code&) override { extensions = from_beast(found); }
    std::size_t on_chunk_body_impl(std::uint64_t, text body, code&) override { return take(body); }
    void on_finish_impl(code&) override {}

    std::size_t take(text body) {
        data = {body.data(), body.size()};
        return body.size();
    }
};

// parse_head() has found the version right behind the target and a blank.
void lower_version(std::span<char> bytes, const request_head& head) {
    if (head.version != 11) return;
    const auto line = head.target.data() + head.target.size() - bytes.data();
    bytes[static_cast<std::size_t>(line) + std::string_view(" HTTP/1.").size()] = '1';
}

}  // namespace

// A Beast parser reads one message, so a new one is constructed in the same place.
class request_parser::beast_parser {
public:
    std::optional<callbacks> current;

    std::size_t put(std::span<const char> input, beast::error_code& failure) {
        current->data = {};
        return current->put(boost::asio::const_buffer(input.data(), input.size()), failure);
    }
};

request_parser::request_parser() : parser_(std::make_unique<beast_parser>()) {}
request_parser::~request_parser() = default;

bool request_parser::read_head(std::span<char> bytes, const framing& frame, request_head& head) {
    lower_version(bytes, head);
    head.clear();
    auto& parser = parser_->current.emplace(head);
    beast::error_code failure;
    const auto consumed = parser_->put(bytes, failure);
    if (failure || consumed != bytes.size() || !parser.is_header_done()) return false;

    is_chunked_ = parser.chunked();
    bytes_left_ = is_chunked_ ? 0 : parser.content_length().value_or(0);
    grammar_ = {};
    consumed_ = given_ = 0;
    checked_ = 0;
    malformed_ = false;
    return is_chunked_ == (frame.body == framing::kind::chunked) && bytes_left_ == frame.length;
}

std::string_view request_parser::chunk_extensions() const noexcept {
    return parser_->current->extensions;
}

request_parser::outcome request_parser::next(std::span<const char> input) {
    if (is_chunked_) return next_chunk(input);
    return next_of_length(input);
}

request_parser::outcome request_parser::next_of_length(std::span<const char> input) {
    outcome out;
    if (bytes_left_ == 0) {
        out.what = step::end;
    } else if (!input.empty()) {
        beast::error_code failure;
        out.consumed = parser_->put(input, failure);
        out.data = parser_->current->data;
        out.what = failure ? step::broken : step::data;
        bytes_left_ -= out.data.size();
    }
    return out;
}

// The parser is given the chunks in front of the last one. The last chunk's line and the trailers contain
// nothing that the grammar has not seen: the parser would take "Content-Length" among the trailers for
// framing, and asserts that the bytes behind "0\r\n" come with it.
request_parser::outcome request_parser::next_chunk(std::span<const char> input) {
    outcome out;
    const auto seen = grammar_.feed({input.data() + checked_, input.size() - checked_});
    checked_ += seen.consumed;
    malformed_ = malformed_ || seen.what == chunk_grammar::verdict::malformed;
    if (malformed_) {
        out.what = step::broken;
        return out;
    }
    const auto chunks =
        grammar_.in_trailers() ? static_cast<std::size_t>(grammar_.line_at() - consumed_) : checked_;
    while (given_ < grammar_.data_bytes()) {
        const auto rest = input.first(chunks).subspan(out.consumed);
        beast::error_code failure;
        out.consumed += parser_->put(rest, failure);
        if (failure) {
            out.what = step::broken;  // all that it is given is well-formed
            malformed_ = true;
            return out;
        }
        if (!parser_->current->data.empty()) {
            out.what = step::data;
            out.data = parser_->current->data;
            given_ += out.data.size();
            break;
        }
    }
    if (out.what != step::data && seen.what == chunk_grammar::verdict::ended) {
        out.what = step::end;
        out.consumed = checked_;
    }
    consumed_ += out.consumed;
    checked_ -= out.consumed;
    return out;
}

}  // namespace gallery::http
