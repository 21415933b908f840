// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>

namespace gallery::http {

/// An IPv4 client of a socket for IPv6 has an address that is mapped into IPv6; this is its own.
inline boost::asio::ip::address unmapped(boost::asio::ip::address from) {
    namespace ip = boost::asio::ip;
    if (from.is_v6() && from.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, from.to_v6());
    return from;
}

}  // namespace gallery::http
