// SPDX-License-Identifier: Apache-2.0
#include "http/message_writer.hpp"

#include "http/beast_response.hpp"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/serializer.hpp>

#include <optional>

namespace gallery::http {

namespace beast = boost::beast;

// A Beast serializer writes one message, so a new one is constructed in the same place.
class message_writer::state {
public:
    using serializer = beast::http::serializer<false, beast::http::buffer_body>;
    std::optional<serializer> current;
    beast_response* message = nullptr;
    bool only_head = false;
};

message_writer::message_writer() : state_(std::make_unique<state>()) {}
message_writer::~message_writer() = default;

void message_writer::begin(beast_response& message, body_kind kind) {
    auto& s = *state_;
    s.message = &message;
    s.only_head = kind == body_kind::none;
    message.body() = {};
    // The serializer asks for the first piece before it writes the head, unless it is told to stop between
    // them.
    s.current.emplace(message).split(kind != body_kind::whole);
    buffers_.clear();
}

void message_writer::give(std::span<const char> piece, bool last) {
    auto& body = state_->message->body();
    // The serializer only reads what Beast's type declares as writable.
    body.data = piece.empty() ? nullptr : const_cast<char*>(piece.data());
    body.size = piece.size();
    body.more = !last;
}

message_writer::step message_writer::next() {
    auto& s = *state_;
    if (!buffers_.empty()) return step::bytes;
    if (s.current->is_done() || (s.only_head && s.current->is_header_done())) return step::done;
    beast::error_code failure;
    s.current->next(failure, [this](beast::error_code&, const auto& sequence) {
        for (const boost::asio::const_buffer part : beast::buffers_range_ref(sequence)) {
            if (part.size() > 0) buffers_.push_back({const_cast<void*>(part.data()), part.size()});
        }
    });
    if (failure == beast::http::error::need_buffer) return step::need_piece;
    return buffers_.empty() ? step::done : step::bytes;
}

void message_writer::consume(std::size_t bytes) {
    state_->current->consume(bytes);
    buffers_.clear();
}

}  // namespace gallery::http
