// SPDX-License-Identifier: Apache-2.0
#include "http/chunked.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <string_view>

namespace gallery::http {

namespace beast = boost::beast;

// Only the body's part of the parser is used; the head was read and validated before, by our own.
class chunked_decoder::parser final : public beast::http::basic_parser<true> {
public:
    parser() {
        body_limit(boost::none);  // the body_reader counts
        header_limit(static_cast<std::uint32_t>(longest_line));
        constexpr std::string_view head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        beast::error_code failure;
        put(boost::asio::const_buffer(head.data(), head.size()), failure);
    }
    std::span<const char> data;

private:
    using text = beast::string_view;
    using code = beast::error_code;
    void on_request_impl(beast::http::verb, text, text, int, code&) override {}
    void on_response_impl(int, text, int, code&) override {}
    void on_field_impl(beast::http::field, text, text, code&) override {}
    void on_header_impl(code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, code&) override {}
    std::size_t on_body_impl(text body, code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, text, code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, text body, code&) override {
        data = {body.data(), body.size()};
        return body.size();
    }
    void on_finish_impl(code&) override {}
};

chunked_decoder::chunked_decoder() : parser_(std::make_unique<parser>()) {}
chunked_decoder::~chunked_decoder() = default;

// The parser is given the chunks in front of the last one. The last chunk's line and the trailers say nothing
// that the grammar does not know: the parser would take "Content-Length" among the trailers for framing, and
// asserts that the bytes behind "0\r\n" come with it.
chunked_decoder::outcome chunked_decoder::next(std::span<const char> input) {
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
        parser_->data = {};
        beast::error_code failure;
        out.consumed += parser_->put(boost::asio::const_buffer(rest.data(), rest.size()), failure);
        if (failure) {
            out.what = step::broken;  // all that it is given is well-formed
            malformed_ = true;
            return out;
        }
        if (!parser_->data.empty()) {
            out.what = step::data;
            out.data = parser_->data;
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
