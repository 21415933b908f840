// SPDX-License-Identifier: Apache-2.0
/// Addresses and networks, as an operator writes them: `127.0.0.1, 10.0.0.0/8, ::1`.
#pragma once

#include <gallery/error.hpp>

#include <boost/asio/ip/address.hpp>

#include <string_view>
#include <utility>
#include <vector>

namespace gallery::config {

/// Immutable, so safe to read from any thread.
class networks {
public:
    /// Of nothing.
    networks() = default;

    /// Entries separated by commas, with spaces or none: an IPv4 or IPv6 address, or one with '/' and the
    /// length of the network's prefix behind it. Error: invalid_argument that names the entry.
    static result<networks> parse(std::string_view text);

    /// An IPv4 address that is written as an IPv6 one (::ffff:10.0.0.1) is the IPv4 address.
    [[nodiscard]] bool contain(const boost::asio::ip::address& address) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

private:
    using address_bytes = boost::asio::ip::address_v6::bytes_type;
    std::vector<std::pair<address_bytes, unsigned>> entries_;  ///< with the bits of the prefix
};

}  // namespace gallery::config
