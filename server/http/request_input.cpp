// SPDX-License-Identifier: Apache-2.0
#include "http/request_input.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string_view>
#include <utility>

namespace gallery::http {

namespace {

/// Of the read buffer, for what follows a head.
constexpr std::size_t room_behind_head = 8 * 1024;

}  // namespace

request_input::request_input(std::size_t head_bytes)
    : buffer_(std::make_unique_for_overwrite<char[]>(head_bytes + room_behind_head)),
      capacity_(head_bytes + room_behind_head) {}

std::span<char> request_input::room() noexcept {
    if (begin_ > 0 && end_ == capacity_) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, unused());
        end_ -= begin_;
        begin_ = 0;
    }
    return {buffer_.get() + end_, capacity_ - end_};
}

head_outcome request_input::take_head(const head_limits& limits, request_head& head) noexcept {
    if (unused() == 0) {
        clear();
        return {};
    }
    const std::string_view data(buffer_.get() + begin_, unused());
    if (parsed_to_ > 0 && data.size() < limits.head_bytes && data.find('\n', parsed_to_) == data.npos) {
        parsed_to_ = data.size();
        return {};
    }
    const auto outcome = parse_head(data, limits, head);
    if (outcome.status == head_status::incomplete) parsed_to_ = data.size();
    if (outcome.status == head_status::complete) {
        begin_ += outcome.size;
        parsed_to_ = 0;
    }
    return outcome;
}

// The strict parser alone is enough for the requests that it was measured to pay for.
bool request_input::needs_beast(const request_head& head) const noexcept {
    return frame_.body != framing::kind::none || (head.verb != method::get && head.verb != method::head);
}

validation request_input::begin_request(request_head& head) {
    auto checked = validate_head(head);
    frame_ = checked.framing;
    body_read_ = 0;
    body_ended_ = true;
    if (checked.error) {
        frame_ = {};
    } else if (needs_beast(head)) {
        const auto skipped = head.verb_text.data() - buffer_.get();  // requests and empty lines before it
        if (parser_.read_head({buffer_.get() + skipped, buffer_.get() + begin_}, frame_, head)) {
            body_ended_ = frame_.body == framing::kind::none;
        } else {
            begin_nothing();
            checked.error = head_error{400, "The request's header cannot be read"};
        }
    }
    return checked;
}

void request_input::begin_nothing() noexcept {
    frame_ = {};
    body_read_ = 0;
    body_ended_ = true;
}

std::span<const char> request_input::waiting() const noexcept {
    if (block_end_ > block_begin_) return {block_.get() + block_begin_, block_end_ - block_begin_};
    return {buffer_.get() + begin_, unused()};
}

request_parser::outcome request_input::next_of_body() {
    using step = request_parser::step;
    request_parser::outcome out;
    if (body_ended_) {
        out.what = step::end;
        return out;
    }
    out = parser_.next(waiting());
    (block_end_ > block_begin_ ? block_begin_ : begin_) += out.consumed;
    body_read_ += out.data.size();
    if (out.what == step::end) body_ended_ = true;
    if (out.what == step::data && frame_.body == framing::kind::length) body_ended_ = body_left() == 0;
    if (out.what == step::need_more && waiting().size() > request_parser::longest_line)
        out.what = step::broken;
    return out;
}

// Behind the bytes that the parser could not use yet.
std::span<char> request_input::body_room() noexcept {
    const auto left = waiting();
    if (!left.empty()) std::memmove(block_.get(), left.data(), left.size());
    if (block_end_ == block_begin_) begin_ += left.size();
    block_begin_ = 0;
    block_end_ = left.size();
    // What follows a chunked body is found in the last read and has to fit into the read buffer.
    const auto wanted = frame_.body == framing::kind::length
                            ? std::min<std::uint64_t>(body_block, body_left())
                            : std::min(body_block - request_parser::longest_line, capacity_);
    return {block_.get() + block_end_, static_cast<std::size_t>(wanted)};
}

std::unique_ptr<char[]> request_input::return_block() noexcept {
    // No request follows a body that did not end, and what is left of that one may be more than fits.
    if (const auto size = block_end_ - block_begin_; size > 0 && body_ended_) {
        assert(size <= capacity_);
        std::memcpy(buffer_.get(), block_.get() + block_begin_, size);
        begin_ = 0;
        end_ = size;
    }
    block_begin_ = block_end_ = 0;
    return std::move(block_);
}

}  // namespace gallery::http
