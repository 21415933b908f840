// SPDX-License-Identifier: Apache-2.0
#include "auth/network.hpp"

#include <algorithm>

namespace gallery::auth {

std::optional<asio::ip::address> parse_address(std::string_view text) noexcept {
    // The longest IPv6 address with a zone, as Asio reads it, and a zero byte.
    std::array<char, 64> copy{};
    if (text.size() >= copy.size()) return std::nullopt;
    text.copy(copy.data(), text.size());
    boost::system::error_code failed;
    const auto parsed = asio::ip::make_address(copy.data(), failed);
    if (failed) return std::nullopt;
    if (parsed.is_v6() && parsed.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, parsed.to_v6());
    return parsed;
}

network_key network_key_of(const asio::ip::address& address) noexcept {
    if (address.is_v4()) return asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes();
    auto bytes = address.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return bytes;
}

std::string network_of(std::string_view address) {
    const auto parsed = parse_address(address);
    if (!parsed) return std::string(address.substr(0, 64));
    if (parsed->is_v4()) return parsed->to_string();
    return asio::ip::address_v6(network_key_of(*parsed)).to_string() + "/64";
}

}  // namespace gallery::auth
