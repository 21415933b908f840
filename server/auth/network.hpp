// SPDX-License-Identifier: Apache-2.0
/// Which client an address stands for, where failures and work are counted.
#pragma once

#include <gallery/task.hpp>

#include <boost/asio/ip/address.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::auth {

/// An IPv4 address as it is; of an IPv6 address the first 64 bits, because a client has at least as many
/// addresses as the rest can number; an IPv4 address that is written as an IPv6 one as the former. Text that
/// is no address as it is, up to 64 characters.
std::string network_of(std::string_view address);

/// An address from its text, without an allocation. An IPv4 address that is written as an IPv6 one is the
/// former. Empty for text that is no address.
std::optional<asio::ip::address> parse_address(std::string_view text) noexcept;

/// What network_of() names, as bytes: an IPv4 address as the IPv6 address that it is mapped to.
using network_key = std::array<unsigned char, 16>;
/// Precondition: @p address is as parse_address() returns it.
network_key network_key_of(const asio::ip::address& address) noexcept;

}  // namespace gallery::auth
