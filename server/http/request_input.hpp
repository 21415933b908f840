// SPDX-License-Identifier: Apache-2.0
/// The bytes that a client sends on a connection, taken apart into heads and bodies. No socket.
#pragma once

#include "http/head_parser.hpp"
#include "http/request.hpp"
#include "http/request_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace gallery::http {

/// Size of the blocks that bodies are read into.
inline constexpr std::size_t body_block = 64 * 1024;

/// For each request: take_head() until it is complete, begin_request(), and next_of_body() until the end. In
/// between the caller reads from the socket into room() or body_room() and reports how much came. The outcome
/// does not depend on how the bytes were cut.
///
/// Heads are read by the strict parser (parse_head(), validate_head()), always. For GET and HEAD without a
/// body that is all. The head of every other request is then read by Beast's parser, and so is its body.
///
/// Views in a request_head point into the read buffer. They stay valid until the next take_head(), because
/// room() is not asked for in between.
/// Threads: one at a time.
class request_input {
public:
    /// @p head_bytes: the longest head that take_head() is asked for.
    explicit request_input(std::size_t head_bytes);

    // The read buffer.

    [[nodiscard]] std::size_t unused() const noexcept { return end_ - begin_; }
    /// Where to read to, with room for at least a byte.
    [[nodiscard]] std::span<char> room() noexcept;
    /// So many bytes were read into room().
    void add(std::size_t bytes) noexcept { end_ += bytes; }
    /// Forgets all bytes.
    void clear() noexcept { begin_ = end_ = parsed_to_ = 0; }
    /// The whole read buffer, for callers that discard the data.
    [[nodiscard]] std::span<char> scratch() noexcept { return {buffer_.get(), capacity_}; }

    // Heads.

    /// The next head from what was read.
    head_outcome take_head(const head_limits& limits, request_head& head) noexcept;
    /// What comes of the head that take_head() returned. An error: the request is refused, and no other
    /// follows.
    validation begin_request(request_head& head);
    /// Instead of begin_request(), where a request was refused before.
    void begin_nothing() noexcept;
    [[nodiscard]] const framing& frame() const noexcept { return frame_; }

    // Bodies.

    /// The next bytes of the body. need_more: read into body_room().
    request_parser::outcome next_of_body();
    /// Nothing of the body is left.
    [[nodiscard]] bool body_ended() const noexcept { return body_ended_; }
    /// Bytes of a body with a Content-Length that are still to come.
    [[nodiscard]] std::uint64_t body_left() const noexcept { return parser_.bytes_left(); }
    /// Bytes of the body returned so far.
    [[nodiscard]] std::uint64_t body_read() const noexcept { return body_read_; }

    [[nodiscard]] bool has_block() const noexcept { return block_ != nullptr; }
    /// A block of body_block bytes for the rest of the body, needed before body_room().
    void lend(std::unique_ptr<char[]> block) noexcept { block_ = std::move(block); }
    /// Gives it back at the end of a request. What it contains behind the body becomes the next request's.
    std::unique_ptr<char[]> return_block() noexcept;
    /// Where to read more of the body to. Precondition: has_block().
    [[nodiscard]] std::span<char> body_room() noexcept;
    void add_to_body(std::size_t bytes) noexcept { block_end_ += bytes; }

private:
    [[nodiscard]] bool needs_beast(const request_head& head) const noexcept;
    [[nodiscard]] std::span<const char> waiting() const noexcept;

    // Read and not yet used: [begin, end). The head in hand lies in front of begin.
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t parsed_to_ = 0;  // an incomplete head is not looked at again until a line end is behind here

    framing frame_;
    request_parser parser_;
    bool body_ended_ = true;
    std::uint64_t body_read_ = 0;
    // More of the body, and what came behind it. In use as soon as the read buffer is used up.
    std::unique_ptr<char[]> block_;
    std::size_t block_begin_ = 0;
    std::size_t block_end_ = 0;
};

}  // namespace gallery::http
