// SPDX-License-Identifier: Apache-2.0
/// The body of a response that is produced while it is sent, for responses without a size limit.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/task.hpp>

namespace gallery::http {

/// Owned by the response. Used on the connection's I/O thread, one call at a time; destroyed when the
/// response has been sent or the client has gone away.
class content_stream {
public:
    content_stream() = default;
    content_stream(const content_stream&) = delete;
    content_stream& operator=(const content_stream&) = delete;
    virtual ~content_stream() = default;

    /// The next piece; empty at the end, after which it is not called again. Called when the piece before has
    /// been handed to the kernel, so that a slow client holds one piece in memory. An error is logged and
    /// ends the connection without the body's end: the client sees that the answer is incomplete.
    virtual task<result<gallery::bytes>> next() = 0;
};

}  // namespace gallery::http
