// SPDX-License-Identifier: Apache-2.0
/// How a client sees the server: scheme, host, port and path prefix, and from which address it comes. What
/// proxies say of it (X-Forwarded-*, and Forwarded of RFC 7239) is believed of trusted ones only. Everything
/// that writes a link or judges a client by its address asks here.
#pragma once

#include "http/request.hpp"

#include <boost/asio/ip/address.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

/// Whether what a peer with this address says of those behind it is believed. Called on any I/O thread.
using proxy_trust = std::function<bool(const boost::asio::ip::address&)>;

/// What stands between clients and the server. Immutable while requests are served.
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

/// The view of the client that sent @p message. A header of a trusted proxy that is malformed counts as
/// missing. Of lists the entry counts that belongs to the client's address, where the list is as long as that
/// of the addresses, else the first. A port in X-Forwarded-Port wins over one in X-Forwarded-Host.
client_view view_of(const request& message);

/// client_view::prefix alone: X-Forwarded-Prefix of a trusted proxy (several entries one after the other, as
/// each proxy cut off its own), else the base path.
std::string path_prefix(const request& message);

/// "/gallery" of "/gallery", "/gallery/" or "/a/b/"; "" of "" and "/". Segments have letters, digits and
/// "-._~+@:=" only, and are neither "." nor "..". Empty where @p text is nothing of the kind.
std::optional<std::string> parse_path_prefix(std::string_view text);

/// The client's address by X-Forwarded-For or, where a request has none of X-Forwarded-For, -Proto, -Host and
/// -Port, by Forwarded. The trusted proxy that the request came from has ended the list with the address that
/// it saw itself: the last entry that is not a trusted proxy again is the client. What stands before it is
/// the client's own word and not looked at. Where all are proxies, the first; where the header is missing or
/// the entry is no address, the last proxy that was understood, or empty for none. Precondition: the request
/// came from a trusted proxy.
std::string forwarded_client(const request& message, const proxy_trust& trusted);

}  // namespace gallery::http
