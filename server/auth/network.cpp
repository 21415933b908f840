// SPDX-License-Identifier: Apache-2.0
#include "auth/network.hpp"

#include <gallery/task.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace gallery::auth {

std::string network_of(std::string_view address) {
    boost::system::error_code failed;
    const auto parsed = asio::ip::make_address(address, failed);
    if (failed) return std::string(address.substr(0, 64));
    if (parsed.is_v4()) return parsed.to_string();
    const auto long_address = parsed.to_v6();
    if (long_address.is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, long_address).to_string();
    auto bytes = long_address.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace gallery::auth
