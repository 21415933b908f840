// SPDX-License-Identifier: Apache-2.0
/// The worker's end of the socket to the server. The server is trusted; when it is gone, the worker ends.
#pragma once

#include "imaging/protocol.hpp"

#include <cstddef>
#include <string_view>

namespace gallery::imaging::worker {

void send_hello(const protocol::hello& greeting);

struct job {
    protocol::request request;
    int descriptor = -1;  ///< to read from; the receiver closes it
};

/// Waits for the next job. Ends the process, with status 0, when the server closed its end.
job receive_job();

/// Sends the answer with its sizes filled in. Precondition: both parts are within the protocol's bounds.
void send_answer(protocol::answer answer, std::string_view text, std::string_view preview,
                 std::string_view document);

/// The picture of a job, mapped read-only.
class mapping {
public:
    explicit mapping(const job& j);
    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;
    ~mapping();

    [[nodiscard]] bool valid() const noexcept { return base_ != nullptr; }
    [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }

private:
    void* base_ = nullptr;
    std::size_t mapped_ = 0;
    std::string_view bytes_;
};

}  // namespace gallery::imaging::worker
