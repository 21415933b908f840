// SPDX-License-Identifier: Apache-2.0
// The life of a connection, in order.
#include "http/connection.hpp"

namespace gallery::http {

task<> serve(std::unique_ptr<connection> client) {
    connection& c = *client;
    if (c.is_secure() && !co_await c.handshake()) co_return;
    for (;;) {
        // Read until a whole head is there.
        while (c.take_head() == head_status::incomplete) {
            if (c.should_release_buffer()) {
                c.release_buffer();
                bool failed = false;
                if (!c.holds_bytes()) {  // as after a handshake whose last message came with a request
                    const auto [failure] =
                        co_await c.socket().async_wait(tcp_socket::wait_read, plain_result);
                    failed = static_cast<bool>(failure);
                }
                if (!c.take_buffer(failed)) co_return;
            }
            const auto room = c.read_room();
            if (c.holds_bytes()) {
                const auto bytes = co_await c.read(room);
                if (!c.on_read(bytes == 0, bytes)) co_return;
            } else {
                auto* const source = c.source_of_heads();
                const auto [failure, bytes] =
                    co_await c.socket().async_read_head(room, c.has_answered(), source, plain_result);
                if (!c.on_read(static_cast<bool>(failure), bytes)) co_return;
            }
        }
        // Answer at once, or by the route's handler.
        if (!c.begin_exchange()) co_await c.run_handler();
        // Write at once, waiting only where the kernel's buffer is full.
        c.begin_response();
        auto state = c.write_step();
        while (state != io_state::done && state != io_state::closed) {
            if (!co_await c.wait_for(state)) {
                state = io_state::closed;
                break;
            }
            state = c.write_step();
        }
        if (c.is_streaming() && state == io_state::done) state = co_await c.write_stream();
        // The unread rest of the body precedes the next request.
        bool drained = true;
        if (state == io_state::done && c.owes_drain()) drained = co_await c.drain_body();
        if (!c.end_exchange(state == io_state::done) || !drained) break;
    }
    if (c.lingers()) co_await c.linger();
}

}  // namespace gallery::http
