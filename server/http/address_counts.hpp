// SPDX-License-Identifier: Apache-2.0
/// How many connections each client address has, so that one client cannot take all of them.
///
/// A client with IPv6 usually has a whole network, so addresses of one /64 count as one.
#pragma once

#include <gallery/mutex.hpp>

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

namespace gallery::http {

/// Thread-safe. Costs a lock and a look into a table for each new connection, and again for its end.
class address_counts {
public:
    /// IPv4 as the IPv6 address that it is mapped to.
    using key = std::array<unsigned char, 16>;
    static key key_of(const boost::asio::ip::address& from) noexcept;

    /// A connection that is counted until this is destroyed. Moved from, or created empty, it counts nothing.
    class place {
    public:
        place() = default;
        place(address_counts& in, const key& client) noexcept : in_(&in), client_(client) {}
        place(place&& other) noexcept : in_(std::exchange(other.in_, nullptr)), client_(other.client_) {}
        place& operator=(place&&) = delete;
        ~place() {
            if (in_ != nullptr) in_->leave(client_);
        }

    private:
        address_counts* in_ = nullptr;
        key client_{};
    };

    /// Empty if this client has @p most connections. May throw std::bad_alloc.
    std::optional<place> enter(const key& client, std::size_t most);

    /// Since the start.
    [[nodiscard]] std::uint64_t refused() const;

private:
    struct hash {
        std::size_t operator()(const key& of) const noexcept;
    };
    void leave(const key& client) noexcept;

    mutable mutex mutex_;
    std::unordered_map<key, std::size_t, hash> counts_ GALLERY_GUARDED_BY(mutex_);
    std::uint64_t refused_ GALLERY_GUARDED_BY(mutex_) = 0;
};

}  // namespace gallery::http
