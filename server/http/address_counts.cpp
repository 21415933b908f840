// SPDX-License-Identifier: Apache-2.0
#include "http/address_counts.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace gallery::http {

address_counts::key address_counts::key_of(const boost::asio::ip::address& from) noexcept {
    namespace ip = boost::asio::ip;
    if (from.is_v4()) return ip::make_address_v6(ip::v4_mapped, from.to_v4()).to_bytes();
    auto bytes = from.to_v6().to_bytes();
    if (!from.to_v6().is_v4_mapped())
        std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return bytes;
}

std::size_t address_counts::hash::operator()(const key& of) const noexcept {
    const std::string_view text(reinterpret_cast<const char*>(of.data()), of.size());
    return std::hash<std::string_view>()(text);
}

std::optional<address_counts::place> address_counts::enter(const key& client, std::size_t most) {
    const lock_guard lock(mutex_);
    auto& count = counts_[client];
    if (count >= most) {
        ++refused_;
        return std::nullopt;
    }
    ++count;
    return std::make_optional<place>(*this, client);
}

void address_counts::leave(const key& client) noexcept {
    const lock_guard lock(mutex_);
    const auto found = counts_.find(client);
    if (found == counts_.end()) return;
    if (--found->second == 0) counts_.erase(found);
}

std::uint64_t address_counts::refused() const {
    const lock_guard lock(mutex_);
    return refused_;
}

}  // namespace gallery::http
