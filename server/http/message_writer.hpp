// SPDX-License-Identifier: Apache-2.0
/// Writes answers that are Beast messages, by Beast's serializer.
#pragma once

#include "http/response.hpp"

#include <sys/uio.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gallery::http {

/// Turns a message and the pieces of its body into bytes; sends nothing itself. Memory is kept from one
/// message to the next. Threads: one at a time.
class message_writer {
public:
    message_writer();
    ~message_writer();
    message_writer(const message_writer&) = delete;
    message_writer& operator=(const message_writer&) = delete;

    enum class body_kind : std::uint8_t {
        none,   ///< only the head is written, even if its fields describe a body
        whole,  ///< one piece, given before the first next(), so that head and body are sent together
        pieces  ///< after the head, each piece when next() asks for it
    };
    /// Forgets the message before. @p message has its status and all fields, and outlives the writing.
    void begin(beast_response& message, body_kind kind);
    /// The next piece of the body, which outlives the writing of it; @p last: no other follows. Empty only as
    /// the last one.
    void give(std::span<const char> piece, bool last);

    enum class step : std::uint8_t {
        bytes,       ///< buffers() contains what goes next
        need_piece,  ///< give() comes next
        done
    };
    step next();
    /// Valid until the next call of consume().
    [[nodiscard]] std::span<const iovec> buffers() const noexcept { return buffers_; }
    /// So many bytes of buffers() have been sent. Precondition: next() returned bytes.
    void consume(std::size_t bytes);

private:
    class state;
    std::unique_ptr<state> state_;
    std::vector<iovec> buffers_;
};

}  // namespace gallery::http
