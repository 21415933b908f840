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

    /// Beast takes the last chunk's line when it is there, in three bytes, and asserts that it is then given
    /// two more at once. Four are not enough to end with, so it is not asked.
    [[nodiscard]] bool ends_inside_last_chunk(std::span<const char> rest) const noexcept {
        return left_of_chunk_ == 0 && rest.size() == 4 && std::string_view(rest.data(), 3) == "0\r\n";
    }

private:
    using text = beast::string_view;
    using code = beast::error_code;
    void on_request_impl(beast::http::verb, text, text, int, code&) override {}
    void on_response_impl(int, text, int, code&) override {}
    void on_field_impl(beast::http::field, text, text, code&) override {}
    void on_header_impl(code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, code&) override {}
    std::size_t on_body_impl(text body, code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t size, text, code&) override { left_of_chunk_ = size; }
    std::size_t on_chunk_body_impl(std::uint64_t, text body, code&) override {
        left_of_chunk_ -= body.size();
        data = {body.data(), body.size()};
        return body.size();
    }
    void on_finish_impl(code&) override {}

    std::uint64_t left_of_chunk_ = 0;
};

chunked_decoder::chunked_decoder() : parser_(std::make_unique<parser>()) {}
chunked_decoder::~chunked_decoder() = default;

chunked_decoder::outcome chunked_decoder::next(std::span<const char> input) {
    outcome out;
    while (!parser_->is_done()) {
        const auto rest = input.subspan(out.consumed);
        if (rest.empty() || parser_->ends_inside_last_chunk(rest)) return out;
        parser_->data = {};
        beast::error_code failure;
        out.consumed += parser_->put(boost::asio::const_buffer(rest.data(), rest.size()), failure);
        if (failure == beast::http::error::need_more) return out;
        if (failure) {
            out.what = step::broken;
            return out;
        }
        if (!parser_->data.empty()) {
            out.what = step::data;
            out.data = parser_->data;
            return out;
        }
    }
    out.what = step::end;
    return out;
}

}  // namespace gallery::http
