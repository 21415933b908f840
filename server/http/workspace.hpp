// SPDX-License-Identifier: Apache-2.0
/// What a connection needs while it has a request in hand, and gives back while it has none.
#pragma once

#include "http/exchange.hpp"
#include "http/message_writer.hpp"
#include "http/request_input.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace gallery::http {

/// Bodies in files are sent by sendfile from this size on.
inline constexpr std::uint64_t sendfile_from = 32 * 1024;

struct workspace {
    explicit workspace(std::size_t head_bytes) : input(head_bytes) {}

    request_input input;
    http::exchange exchange;
    std::optional<head_error> refusal;  // why no handler will see the request

    // The request's body.
    bool continue_owed = false;
    bool body_broken = false;
    bool body_timed_out = false;

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
    std::uint64_t bytes_credited = 0;   // of bytes_out, those that have extended the allowance
    std::uint32_t write_allowance = 0;  // seconds that the client may still keep us waiting
};

}  // namespace gallery::http
