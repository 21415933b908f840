// SPDX-License-Identifier: Apache-2.0
/// A connected socket that reads with Asio's public functions alone.
#pragma once

#include "http/read_now.hpp"

#include <gallery/task.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace gallery::http {

/// The same read as reactor_socket's: it waits first, because after a request there is nothing to read yet.
/// Threads: the I/O thread of the socket. At most one async_read_head() at a time.
class waiting_socket : public asio::basic_stream_socket<asio::ip::tcp, io_executor> {
public:
    using base = asio::basic_stream_socket<asio::ip::tcp, io_executor>;
    using base::base;

    /// Reads at least a byte: void(error_code, std::size_t). The second argument is reactor_socket's; nothing
    /// depends on it here. @p source: null for the socket itself; it may hold no bytes.
    template <class Token>
    auto async_read_head(std::span<char> into, bool /*trust_the_end*/, head_source* source, Token&& token) {
        auto start = [](auto waiting, waiting_socket* self, std::span<char> room, head_source* from) {
            using operation = read_operation<std::decay_t<decltype(waiting)>>;
            self->async_wait(base::wait_read, operation{*self, room, from, std::move(waiting)});
        };
        return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(start, token, this,
                                                                                         into, source);
    }

private:
    template <class Handler>
    struct read_operation {
        waiting_socket& self;
        std::span<char> into;
        head_source* source;
        Handler handler;

        using executor_type = asio::associated_executor_t<Handler, io_executor>;
        [[nodiscard]] executor_type get_executor() const noexcept {
            return asio::get_associated_executor(handler, self.base::get_executor());
        }

        void operator()(boost::system::error_code failure) {
            std::size_t bytes = 0;
            if (!failure) {
                bytes = source != nullptr ? source->read_head_now(into, failure)
                                          : read_now(self.native_handle(), into, failure);
            }
            if (failure == asio::error::would_block) {
                self.async_wait(base::wait_read, std::move(*this));
            } else {
                std::move(handler)(failure, bytes);
            }
        }
    };
};

}  // namespace gallery::http
