// SPDX-License-Identifier: Apache-2.0
/// One read from a socket that does not block.
#pragma once

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <span>

namespace gallery::http {

/// At least a byte, or a failure: would_block where nothing has arrived, eof at the end.
std::size_t read_now(int socket, std::span<char> into, boost::system::error_code& failure) noexcept;

}  // namespace gallery::http
