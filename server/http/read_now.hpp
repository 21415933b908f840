// SPDX-License-Identifier: Apache-2.0
/// Reads from a socket that does not block.
#pragma once

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <span>

namespace gallery::http {

/// At least a byte, or a failure: would_block where nothing has arrived, eof at the end.
std::size_t read_now(int socket, std::span<char> into, boost::system::error_code& failure) noexcept;

/// Where a head comes from if not from the socket itself, such as TLS on it.
class head_source {
public:
    /// As read_now().
    virtual std::size_t read_head_now(std::span<char> into, boost::system::error_code& failure) noexcept = 0;
    /// Whether bytes were taken from the socket that read_head_now() has not returned yet: the socket does
    /// not become readable because of them.
    [[nodiscard]] virtual bool holds_bytes() const noexcept = 0;

protected:
    ~head_source() = default;
};

}  // namespace gallery::http
