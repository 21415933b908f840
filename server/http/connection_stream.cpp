// SPDX-License-Identifier: Apache-2.0
// Sends a body that is made while it is sent: in the chunked coding (RFC 9112, 7.1), or to an HTTP/1.0 client
// up to the end of the connection.
#include "http/connection.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <charconv>
#include <exception>
#include <string>
#include <utility>

namespace gallery::http {

// The framing goes where the head was, the piece where the content was, so that both are sent by
// write_step().
void connection::frame_piece(std::string_view before, bytes piece, bool last) {
    auto& w = *work_;
    std::string framing(before);
    if (w.message.version() == 11) {
        std::array<char, 16> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), piece.size(), 16).ptr;
        framing.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
        framing += last ? "\r\n\r\n" : "\r\n";
    } else {
        framing.clear();
    }
    if (w.head.size() < framing.size()) w.head.resize(framing.size());
    framing.copy(w.head.data(), framing.size());
    w.head_size = framing.size();
    w.head_sent = 0;
    w.content_size = piece.size();
    w.content_sent = 0;
    w.answer.set_content(body(std::move(piece)));
}

task<io_state> connection::write_stream() {
    auto& w = *work_;
    const auto source = w.answer.take_stream();
    if (w.message.verb() == method::head) co_return io_state::done;
    std::string_view before;
    for (bool last = false; !last;) {
        result<bytes> piece = error{errc::internal, "a piece of the answer could not be made"};
        try {
            auto making = source->next();
            piece = co_await std::move(making);
        } catch (const std::exception& thrown) {
            piece = error{errc::internal, thrown.what()};
        }
        if (!piece) {
            w.message.set_request_id(home_.new_request_id());
            w.answer.set_note("the answer was broken off: " + piece.error().message);
            co_return io_state::closed;
        }
        last = piece->empty();
        frame_piece(before, std::move(*piece), last);
        before = "\r\n";
        auto state = write_step();
        while (state != io_state::done) {
            if (state == io_state::closed || !co_await wait_for(state)) co_return io_state::closed;
            state = write_step();
        }
        // Other connections of this thread have their turn between two pieces.
        co_await asio::post(socket().get_executor(), use_task);
        if (shed_) co_return io_state::closed;
    }
    co_return io_state::done;
}

}  // namespace gallery::http
