// SPDX-License-Identifier: Apache-2.0
// Answers on the connection: prepared text by itself, Beast messages by Beast's serializer.
#include "http/beast_response.hpp"
#include "http/connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/http/status.hpp>

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <string>
#include <utility>

namespace gallery::http {

void connection::begin_response() {
    auto& w = *work_;
    const auto& core = thread_.core();
    w.exchange.complete_answer();
    keep_alive_ = w.input.frame().keep_alive && !answer().closes_connection() && !w.body_broken &&
                  !core.draining.load(std::memory_order_relaxed);
    // Such a client sees the end of a body of unknown length by the end of the connection.
    if (answer().is_streamed() && message().version() == 10) keep_alive_ = false;
    if (!w.input.body_ended()) {
        // Whether a client that waits for "100 Continue" still sends its body cannot be known.
        const bool bounded = w.input.frame().body == framing::kind::length &&
                             w.input.body_left() <= core.options.limits.drain_bytes;
        if (w.continue_owed || w.body_broken || !bounded) keep_alive_ = false;
        if (!keep_alive_) lingers_ = true;
    }
    w.content_sent = 0;
    w.content_size = has_bare_head() ? 0 : answer().content().size();
    w.piece = {};
    if (answer().message() != nullptr) {
        begin_message();
    } else {
        compose_head();
    }
}

// The response has only a head, regardless of its fields.
bool connection::has_bare_head() const noexcept {
    const auto status = answer().status();
    return message().verb() == method::head || status == 204 || status == 304;
}

void connection::begin_message() {
    auto& w = *work_;
    auto& fields = *answer().message();
    answer().add_prepared(thread_.date_line());
    if (answer().is_streamed()) {
        if (message().version() == 11) fields.chunked(true);
    } else if (const auto status = answer().status(); status != 204 && status != 304) {
        const bool declares = message().verb() == method::head;
        fields.content_length(declares ? answer().content_size() : answer().content().size());
    }
    if (!keep_alive_) {
        fields.set(boost::beast::http::field::connection, "close");
    } else if (message().version() == 10) {
        fields.set(boost::beast::http::field::connection, "keep-alive");
    }
    const auto* const memory = answer().content().memory();
    if (has_bare_head()) {
        w.writer.begin(fields, message_writer::body_kind::none);
    } else if (answer().is_streamed() || memory == nullptr) {
        w.writer.begin(fields, message_writer::body_kind::pieces);
    } else {
        w.writer.begin(fields, message_writer::body_kind::whole);
        w.writer.give(memory->span(), true);
        w.content_sent = w.content_size;
    }
}

void connection::compose_head() {
    auto& w = *work_;
    const auto status = answer().status();
    const auto& lines = answer().fields();
    // Larger than what stands beside the handler's lines can become; the string only grows, once.
    constexpr std::size_t most = 384;
    if (w.head.size() < lines.size() + most) w.head.resize(lines.size() + most);
    char* at = w.head.data();
    const auto put = [&at](std::string_view text) {
        std::memcpy(at, text.data(), text.size());
        at += text.size();
    };
    const auto number = [&at](std::uint64_t value) { at = std::to_chars(at, at + 20, value).ptr; };
    put("HTTP/1.1 ");
    for (const auto unit : {100U, 10U, 1U})
        *at++ = static_cast<char>('0' + status / unit % 10);
    *at++ = ' ';
    const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    put({reason.data(), reason.size()});
    put("\r\n");
    put(thread_.date_line());
    if (status != 204 && status != 304) {
        put("Content-Length: ");
        number(message().verb() == method::head ? answer().content_size() : answer().content().size());
        put("\r\n");
    }
    if (!keep_alive_) {
        put("Connection: close\r\n");
    } else if (message().version() == 10) {
        put("Connection: keep-alive\r\n");
    }
    put(lines);
    put("\r\n");
    w.head_size = static_cast<std::size_t>(at - w.head.data());
    w.head_sent = 0;
}

bool connection::fill_piece() noexcept {
    auto& w = *work_;
    const auto& region = *answer().content().region();
    if (!w.out_block) w.out_block = thread_.take_block();
    const auto wanted = std::min<std::uint64_t>(body_block, w.content_size - w.content_sent);
    ssize_t got = 0;
    do {
        got = ::pread(region.file->descriptor(), w.out_block.get(), wanted,
                      static_cast<off_t>(region.offset + w.content_sent));
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return false;
    w.piece = {w.out_block.get(), static_cast<std::size_t>(got)};
    return true;
}

io_state connection::write_step() {
    return answer().message() != nullptr ? write_message() : write_prepared();
}

io_state connection::write_message() {
    auto& w = *work_;
    for (;;) {
        switch (w.writer.next()) {
            case message_writer::step::done:
                return io_state::done;
            case message_writer::step::need_piece:
                if (answer().content().region() == nullptr) return io_state::done;  // write_stream() goes on
                if (!fill_piece()) return io_state::closed;
                w.content_sent += w.piece.size();
                w.writer.give(w.piece, w.content_sent == w.content_size);
                continue;
            case message_writer::step::bytes:
                break;
        }
        const auto moved = transport_.write_now(w.writer.buffers(), w.content_sent < w.content_size);
        if (moved.state != io_state::done) return moved.state;
        w.bytes_out += moved.bytes;
        w.writer.consume(moved.bytes);
    }
}

io_state connection::write_prepared() noexcept {
    auto& w = *work_;
    const auto* const memory = answer().content().memory();
    const bool kernel_sends = !memory && !is_secure() && w.content_size >= sendfile_from;
    for (;;) {
        const auto head = std::span<const char>(w.head.data(), w.head_size).subspan(w.head_sent);
        if (head.empty() && w.content_sent == w.content_size) return io_state::done;
        io_outcome moved;
        if (kernel_sends) {
            if (!head.empty()) {
                moved = transport_.write_now(head, {}, true);
            } else {
                moved = transport_.send_file_now(*answer().content().region(), w.content_sent);
            }
        } else {
            std::span<const char> content;
            if (w.content_sent < w.content_size) {
                if (memory) {
                    content = memory->span().subspan(w.content_sent);
                } else {
                    if (w.piece.empty() && !fill_piece()) return io_state::closed;
                    content = w.piece;
                }
            }
            const bool more = w.content_sent + content.size() < w.content_size;
            moved = transport_.write_now(head, content, more);
        }
        if (moved.state != io_state::done) return moved.state;
        w.bytes_out += moved.bytes;
        const auto of_head = std::min(moved.bytes, head.size());
        w.head_sent += of_head;
        w.content_sent += moved.bytes - of_head;
        if (!w.piece.empty()) w.piece = w.piece.subspan(moved.bytes - of_head);
    }
}

// A body that is made while it is sent: in the chunked coding (RFC 9112, 7.1), or to an HTTP/1.0 client up to
// the end of the connection.
task<io_state> connection::write_stream() {
    auto& w = *work_;
    const auto source = answer().take_stream();
    if (has_bare_head()) co_return io_state::done;
    for (bool last = false; !last;) {
        result<bytes> piece = error{errc::internal, "a part of the response could not be created"};
        try {
            auto making = source->next();
            piece = co_await std::move(making);
        } catch (const std::exception& thrown) {
            piece = error{errc::internal, thrown.what()};
        }
        if (!piece) {
            w.exchange.note_broken_answer(piece.error().message);
            co_return io_state::closed;
        }
        last = piece->empty();
        w.writer.give(piece->span(), last);
        answer().set_content(body(std::move(*piece)));  // kept until it is sent
        auto state = write_step();
        while (state != io_state::done) {
            if (state == io_state::closed || !co_await wait_for(state)) co_return io_state::closed;
            state = write_step();
        }
        // The source counts what it holds, so the piece is gone before it is asked for the next one.
        answer().set_content(body());
        // Other connections of this thread have their turn between two pieces.
        co_await asio::post(socket().get_executor(), use_task);
        if (is_ending_) co_return io_state::closed;
    }
    co_return io_state::done;
}

}  // namespace gallery::http
