/// The chunked transfer coding, RFC 9112 section 7.1, taken apart by Beast's parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace gallery::http {

/// Fed with what follows the head of a request. Holds no bytes itself: what it has not consumed must be
/// presented again, with more behind it. Chunk extensions and trailers are read and ignored.
class chunked_decoder {
public:
    enum class step : std::uint8_t {
        need_more,  ///< nothing more to be had from this input
        data,
        end,    ///< the body is complete; what was not consumed belongs to the next request
        broken  ///< not the chunked coding
    };
    struct outcome {
        step what = step::need_more;
        std::size_t consumed = 0;    ///< bytes of the input done with; data lies among them
        std::span<const char> data;  ///< into the input
    };

    chunked_decoder();
    ~chunked_decoder();
    outcome next(std::span<const char> input);

    /// A chunk's first line or the trailers may have so many bytes; more is the caller's reason to give up.
    static constexpr std::size_t longest_line = 4096;

private:
    class parser;
    std::unique_ptr<parser> parser_;
};

}  // namespace gallery::http
