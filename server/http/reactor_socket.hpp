// SPDX-License-Identifier: Apache-2.0
/// A connected socket with a read of its own, made of parts that Asio calls detail.
#pragma once

#include "http/read_now.hpp"

#include <gallery/task.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace gallery::http {

/// Asio's socket, and a read that fits a server which answers one request after the other.
///
/// async_read_some() tries to read before it waits, and after each request it finds nothing: a system call
/// that costs as much as the one which brings the request. async_read_head() goes straight to waiting where
/// the last read emptied the socket. It also keeps its state in the socket itself and calls its handler where
/// it stands, so that a request costs no allocation and no detour. It is an operation of Asio's reactor like
/// Asio's own, and like those it is made of what Asio calls detail. It is therefore used only with versions
/// of Boost that it was tested with; see tcp_socket.hpp.
///
/// Threads: the I/O thread of the socket. At most one async_read_head() at a time.
class reactor_socket : public asio::basic_stream_socket<asio::ip::tcp, io_executor> {
public:
    using base = asio::basic_stream_socket<asio::ip::tcp, io_executor>;
    using base::base;

    /// Reads at least a byte: void(error_code, std::size_t). @p trust_the_end: bytes that end a head (an
    /// empty line) are taken for all that has been sent. A client that ends its direction together with its
    /// last request is then noticed as late as the next wait of another kind.
    /// @p source: null for the socket itself; it may hold no bytes.
    template <class Token>
    auto async_read_head(std::span<char> into, bool trust_the_end, head_source* source, Token&& token) {
        auto start = [](auto waiting, reactor_socket* self, std::span<char> room, bool trust,
                        head_source* from) {
            using operation = read_operation<std::decay_t<decltype(waiting)>>;
            static_assert(sizeof(operation) <= sizeof(self->place_) &&
                          alignof(operation) <= alignof(std::max_align_t));
            auto& state = self->impl_.get_implementation();
            auto* made = ::new (static_cast<void*>(self->place_.data()))
                operation(state.socket_, room, trust, from, std::move(waiting));
            self->reactor().start_op(asio::detail::reactor::read_op, state.socket_, state.reactor_data_, made,
                                     true, true);
        };
        return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            start, token, this, into, trust_the_end, source);
    }

private:
    // Asked for once: the context looks for it by name in a list, under a lock.
    asio::detail::reactor& reactor() {
        if (!reactor_) reactor_ = &asio::use_service<asio::detail::reactor>(get_executor().context());
        return *reactor_;
    }

    class reading : public asio::detail::reactor_op {
    protected:
        reading(int socket, std::span<char> into, bool trust, head_source* source, func_type end) noexcept
            : reactor_op({}, &reading::perform_now, end),
              socket_(socket),
              trust_(trust),
              into_(into),
              source_(source) {}

    private:
        static status perform_now(asio::detail::reactor_op* base) noexcept;

        int socket_;
        bool trust_;
        std::span<char> into_;
        head_source* source_;
    };

    template <class Handler>
    class read_operation final : public reading {
    public:
        read_operation(int socket, std::span<char> into, bool trust, head_source* source, Handler waiting)
            : reading(socket, into, trust, source, &read_operation::complete_now),
              handler_(std::move(waiting)) {}

    private:
        // Without an owner the context is being destroyed, and so is what waits.
        static void complete_now(void* owner, asio::detail::operation* base,
                                 const boost::system::error_code& /*ec*/, std::size_t /*bytes*/) {
            auto* const self = static_cast<read_operation*>(base);
            auto waiting = std::move(self->handler_);
            const auto failure = self->ec_;
            const auto bytes = self->bytes_transferred_;
            std::destroy_at(self);  // the place is free for the next one, which the handler may start
            if (owner) std::move(waiting)(failure, bytes);
        }

        Handler handler_;
    };

    asio::detail::reactor* reactor_ = nullptr;
    alignas(std::max_align_t) std::array<std::byte, 152> place_;
};

}  // namespace gallery::http
