// SPDX-License-Identifier: Apache-2.0
#include "config/networks.hpp"

#include "config/entries.hpp"
#include "config/values.hpp"

#include <string>

namespace gallery::config {

namespace {

namespace ip = boost::asio::ip;

constexpr unsigned all_bits = 128;
constexpr unsigned bits_before_v4 = 96;

/// IPv4 in its place within IPv6 (RFC 4291, 2.5.5.2), so that there is one kind of address to compare.
ip::address_v6::bytes_type bytes_of(const ip::address& address) noexcept {
    if (address.is_v6()) return address.to_v6().to_bytes();
    return ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes();
}

bool same_prefix(const ip::address_v6::bytes_type& left, const ip::address_v6::bytes_type& right,
                 unsigned bits) noexcept {
    for (unsigned at = 0; at < bits; at += 8) {
        const unsigned unused = bits - at >= 8 ? 0 : 8 - (bits - at);
        if ((left[at / 8] ^ right[at / 8]) >> unused != 0) return false;
    }
    return true;
}

}  // namespace

result<networks> networks::parse(std::string_view text) {
    networks out;
    while (const auto next = next_entry(text, ',')) {
        const std::string_view entry = *next;
        const error refused{
            errc::invalid_argument,
            "'" + std::string(entry) + "' is neither an address nor a network such as 10.0.0.0/8"};
        const auto slash = entry.find('/');
        boost::system::error_code failed;
        const auto address = ip::make_address(std::string(entry.substr(0, slash)), failed);
        if (failed || (address.is_v6() && address.to_v6().scope_id() != 0)) return refused;
        unsigned prefix = all_bits;
        if (slash != std::string_view::npos) {
            const auto length = parse_unsigned(entry.substr(slash + 1));
            const unsigned before = address.is_v4() ? bits_before_v4 : 0;
            if (!length || *length > all_bits - before) return refused;
            prefix = before + static_cast<unsigned>(*length);
        }
        out.entries_.emplace_back(bytes_of(address), prefix);
    }
    return out;
}

bool networks::contain(const ip::address& address) const noexcept {
    const auto bytes = bytes_of(address);
    for (const auto& [network, prefix] : entries_) {
        if (same_prefix(bytes, network, prefix)) return true;
    }
    return false;
}

}  // namespace gallery::config
