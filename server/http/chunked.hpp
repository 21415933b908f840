// SPDX-License-Identifier: Apache-2.0
/// The chunked transfer coding, RFC 9112 section 7.1: checked by chunk_grammar, then taken apart by Beast's
/// parser.
#pragma once

#include "http/chunk_grammar.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace gallery::http {

/// Fed with what follows the head of a request. Holds no bytes itself: what it has not consumed must be
/// presented again, with more behind it. Chunk extensions and trailers are checked and ignored.
class chunked_decoder {
public:
    enum class step : std::uint8_t {
        need_more,  ///< nothing more to be had from this input
        data,
        end,    ///< the body is complete; what was not consumed belongs to the next request
        broken  ///< not the chunked coding; said as soon as the first wrong byte is there
    };
    struct outcome {
        step what = step::need_more;
        std::size_t consumed = 0;    ///< bytes of the input done with; data lies among them
        std::span<const char> data;  ///< into the input
    };

    chunked_decoder();
    ~chunked_decoder();
    outcome next(std::span<const char> input);

    /// No more than so many bytes, and a byte to find that out, are left unconsumed.
    static constexpr std::size_t longest_line = chunk_grammar::longest_line + 2;

private:
    class parser;
    chunk_grammar grammar_;
    std::uint64_t consumed_ = 0;  ///< bytes of the body
    std::uint64_t given_ = 0;     ///< of them, data
    std::size_t checked_ = 0;     ///< bytes at the front of the next input that passed the grammar
    bool malformed_ = false;      ///< the byte behind them did not
    std::unique_ptr<parser> parser_;
};

}  // namespace gallery::http
