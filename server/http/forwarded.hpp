// SPDX-License-Identifier: Apache-2.0
/// The client's view of the server: scheme, host, port and path prefix, and the client's address. Headers of
/// proxies (X-Forwarded-*, and Forwarded of RFC 7239) are used from trusted proxies only. All code that
/// writes a link or judges a client by its address uses this.
#pragma once

#include "http/request.hpp"

#include <boost/asio/ip/address.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

/// Whether the headers of a peer with this address are trusted. Called on any I/O thread.
using proxy_trust = std::function<bool(const boost::asio::ip::address&)>;

/// The proxies between clients and the server. Immutable while requests are served.
struct front_door {
    proxy_trust trusted;    ///< empty: no peer is a trusted proxy
    std::string base_path;  ///< "" or as parse_path_prefix() returns it; used where no proxy names another
};

struct client_view {
    bool secure = false;  ///< https
    /// With the port unless it is the scheme's own; empty where a request of HTTP/1.0 has no Host.
    std::string host;
    std::string prefix;  ///< "" or "/gallery": in front of every path of the server

    /// "https://gallery.example/gallery" + @p path; without a host only prefix and path.
    /// Precondition: @p path starts with '/'.
    [[nodiscard]] std::string url(std::string_view path) const;
};

/// The view of the client that sent @p message. A malformed header of a trusted proxy counts as missing. If a
/// list is as long as that of the addresses, the entry of the client's address is used, otherwise the first.
/// A port in X-Forwarded-Port wins over one in X-Forwarded-Host.
client_view view_of(const request& message);

/// client_view::prefix alone: X-Forwarded-Prefix of a trusted proxy (several entries one after the other, as
/// each proxy cut off its own), else the base path.
std::string path_prefix(const request& message);

/// "/gallery" of "/gallery", "/gallery/" or "/a/b/"; "" of "" and "/". Segments have letters, digits and
/// "-._~+@:=" only, and are neither "." nor "..". Empty where @p text is nothing of the kind.
std::optional<std::string> parse_path_prefix(std::string_view text);

/// The client's address by X-Forwarded-For or, if a request has none of X-Forwarded-For, -Proto,
/// -Host and -Port, by Forwarded. The trusted proxy that sent the request has appended the address of
/// its peer: the last entry that is not a trusted proxy is the client. Earlier entries come from the
/// client and are ignored. If all are proxies, the first. If the header is missing or the entry is
/// not an address, the last valid proxy, or empty. Precondition: the request came from a trusted
/// proxy.
std::string forwarded_client(const request& message, const proxy_trust& trusted);

/// Whether @p message has a field that only proxies add: Forwarded or X-Forwarded-*. Then it is not the
/// peer's own request, even if no address in it can be read. The field may also be a lie of the peer.
/// Allocates nothing.
bool is_forwarded(const request& message) noexcept;

}  // namespace gallery::http
