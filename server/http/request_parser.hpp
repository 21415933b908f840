// SPDX-License-Identifier: Apache-2.0
/// Beast's request parser, which reads every request but GET and HEAD without a body.
#pragma once

#include "http/chunk_grammar.hpp"
#include "http/head_parser.hpp"
#include "http/request.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace gallery::http {

/// Beast accepts more than RFC 9112 allows. It is therefore given only bytes that a strict parser has
/// accepted: a head that passed parse_head() and validate_head(), and of a chunked body what passed
/// chunk_grammar.
///
/// Contains no bytes: all views point into what the caller presents. The memory is kept from one request to
/// the next, so that a request costs no allocation. Threads: one at a time.
class request_parser {
public:
    request_parser();
    ~request_parser();
    request_parser(const request_parser&) = delete;
    request_parser& operator=(const request_parser&) = delete;

    /// Reads a whole head, from the first letter of the method to the empty line, and fills @p head with
    /// views into it. Forgets the request before it. Preconditions: @p bytes is what parse_head() read and
    /// validate_head() accepted with @p frame as the outcome. A later minor version of HTTP/1 than 1.1 is
    /// replaced by 1.1 in @p bytes (RFC 9110, 2.5), because Beast refuses it.
    ///
    /// False where Beast refuses the head or delimits the body otherwise than @p frame. The two parsers are
    /// expected to agree; a request on which they differ must be refused, because a proxy in front may
    /// differ, too.
    bool read_head(std::span<char> bytes, const framing& frame, request_head& head);

    enum class step : std::uint8_t {
        need_more,  ///< the input is too short to return anything
        data,
        end,    ///< the body is complete; bytes that were not consumed belong to the next request
        broken  ///< not the chunked coding; returned as soon as the first wrong byte is there
    };
    struct outcome {
        step what = step::need_more;
        std::size_t consumed = 0;    ///< bytes of the input done with; data lies among them
        std::span<const char> data;  ///< into the input
    };
    /// The next bytes of the body. Bytes that were not consumed must be presented again, with more behind
    /// them. Precondition: read_head() returned true.
    outcome next(std::span<const char> input);

    /// Bytes of a body with a Content-Length that are still to come; 0 for other bodies.
    [[nodiscard]] std::uint64_t bytes_left() const noexcept { return bytes_left_; }
    /// The extensions of the chunk that the last data came from, from the first ';' or blank to the end of
    /// the line. Checked, otherwise ignored (RFC 9112, 7.1.1). Valid as long as the input of the call that
    /// read them.
    [[nodiscard]] std::string_view chunk_extensions() const noexcept;

    /// At most so many bytes, and one to find out that they are too many, are left unconsumed.
    static constexpr std::size_t longest_line = chunk_grammar::longest_line + 2;

private:
    class beast_parser;
    outcome next_of_length(std::span<const char> input);
    outcome next_chunk(std::span<const char> input);

    std::unique_ptr<beast_parser> parser_;
    std::uint64_t bytes_left_ = 0;
    bool is_chunked_ = false;
    // Of a chunked body.
    chunk_grammar grammar_;
    std::uint64_t consumed_ = 0;  ///< bytes of the body
    std::uint64_t given_ = 0;     ///< of them, data
    std::size_t checked_ = 0;     ///< bytes at the front of the next input that passed the grammar
    bool malformed_ = false;      ///< the byte behind them did not
};

}  // namespace gallery::http
