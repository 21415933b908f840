// SPDX-License-Identifier: Apache-2.0
/// The grammar of the chunked transfer coding, RFC 9112 section 7.1. No memory, no sockets: a parser that is
/// less strict can be given only what has passed here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gallery::http {

/// Checks a chunked body byte by byte while it arrives:
///
///     chunked-body = *chunk last-chunk trailer-section CRLF
///     chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
///     chunk-ext    = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
///
/// Lines end in CRLF and nothing else. No byte below 0x20 except HTAB, and not 0x7F, may be in a line, quoted
/// or not: a front end that ends lines at LF would see another body than this server.
class chunk_grammar {
public:
    /// Most bytes of a chunk's line, and of the last one together with all trailers.
    static constexpr std::size_t longest_line = 4096;
    /// Most bytes of framing beyond 16 and twice the data of each chunk. Long extensions before little data
    /// would otherwise pass any limit on a body's size.
    static constexpr std::uint64_t most_excess = 16 * 1024;

    enum class verdict : std::uint8_t {
        unfinished,  ///< well-formed so far
        ended,       ///< complete; what was not consumed belongs to the next request
        malformed    ///< at the first byte that was not consumed
    };
    struct outcome {
        verdict what = verdict::unfinished;
        std::size_t consumed = 0;  ///< bytes that belong to the body and are well-formed
    };

    /// The next bytes. Costs a step for each byte of framing; data are passed over at once.
    outcome feed(std::string_view next) noexcept;

    /// Bytes of data among all that was consumed.
    [[nodiscard]] std::uint64_t data_bytes() const noexcept { return data_bytes_; }
    /// Whether the line of the last chunk, of size 0, was consumed.
    [[nodiscard]] bool in_trailers() const noexcept { return part_ >= part::trailer_start; }
    /// Bytes of all that was consumed in front of the line that was begun last.
    [[nodiscard]] std::uint64_t line_at() const noexcept { return line_at_; }

private:
    enum class part : std::uint8_t {
        size_start,
        size,
        before_semicolon,
        before_name,
        name,
        after_name,
        before_value,
        token_value,
        quoted,
        escaped,
        after_value,
        line_feed,
        data,
        data_return,
        data_feed,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_feed,
        last_feed,
        ended
    };

    bool take(unsigned char c) noexcept;
    bool take_digit(unsigned char c) noexcept;
    bool after_element(unsigned char c, part blank) noexcept;
    bool end_line() noexcept;
    bool step(part next) noexcept {
        part_ = next;
        return true;
    }

    part part_ = part::size_start;
    std::uint64_t size_ = 0;  ///< of the chunk: as far as read, then what is left of its data
    std::uint64_t data_bytes_ = 0;
    std::uint64_t consumed_ = 0;
    std::uint64_t line_at_ = 0;
    std::uint64_t excess_ = 0;
};

}  // namespace gallery::http
