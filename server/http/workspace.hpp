// SPDX-License-Identifier: Apache-2.0
/// What a connection needs while it has a request in hand, and gives back while it has none.
#pragma once

#include "http/head_parser.hpp"
#include "http/message_writer.hpp"
#include "http/request.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "http/router.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::http {

/// Large enough for the longest head that is allowed and, behind it, for what a chunked body's reader may
/// have taken too much of.
inline constexpr std::size_t read_slack = 8 * 1024;
inline constexpr std::size_t body_block = 64 * 1024;
/// Bodies in files are sent by sendfile from this size on.
inline constexpr std::uint64_t sendfile_from = 32 * 1024;

struct workspace {
    explicit workspace(std::size_t capacity_)
        : buffer(std::make_unique_for_overwrite<char[]>(capacity_)), capacity(capacity_) {}

    // Bytes read and not yet used: [begin, end). The head in hand lies in front of begin.
    std::unique_ptr<char[]> buffer;
    std::size_t capacity;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t parsed_to = 0;  // an incomplete head is not looked at again until a line end is behind here

    // The exchange in hand.
    request message;
    std::string forwarded;  // the client's address where a trusted proxy names it
    response answer;
    framing frame;
    std::optional<head_error> refusal;  // why no handler will see it
    const route* target = nullptr;
    std::chrono::steady_clock::time_point began;
    bool hot = false;

    // The request's body.
    std::uint64_t body_read = 0;
    bool body_ended = true;
    bool continue_owed = false;
    bool body_broken = false;
    bool body_timed_out = false;
    request_parser parser;          // unused where the fast scanner read the head
    std::unique_ptr<char[]> block;  // body_block bytes, taken from the thread's pool when first needed
    std::size_t block_begin = 0;
    std::size_t block_end = 0;

    // The response under way.
    message_writer writer;  // unused where the answer is prepared text
    std::string head;       // never shrinks
    std::size_t head_size = 0;
    std::size_t head_sent = 0;
    std::uint64_t content_size = 0;
    std::uint64_t content_sent = 0;
    std::unique_ptr<char[]> out_block;  // for a file that is read rather than sent by the kernel
    std::span<const char> piece;        // of out_block, still to be sent
    std::uint64_t bytes_out = 0;

    // What was read of the body and not yet used: the rest of the read buffer, then the block.
    [[nodiscard]] std::span<const char> body_input() const noexcept {
        if (block_end > block_begin) return {block.get() + block_begin, block_end - block_begin};
        return {buffer.get() + begin, end - begin};
    }
    void consume_body_input(std::size_t bytes) noexcept {
        (block_end > block_begin ? block_begin : begin) += bytes;
    }
    [[nodiscard]] std::size_t unused() const noexcept { return end - begin; }
    [[nodiscard]] std::string_view unread() const noexcept { return {buffer.get() + begin, end - begin}; }
};

}  // namespace gallery::http
