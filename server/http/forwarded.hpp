/// Whom a proxy speaks for.
#pragma once

#include "http/request.hpp"

#include <boost/asio/ip/address.hpp>

#include <functional>
#include <string>

namespace gallery::http {

/// Whether what a peer with this address says of those behind it is believed. Called on any I/O thread.
using proxy_trust = std::function<bool(const boost::asio::ip::address&)>;

/// The client's address by X-Forwarded-For, which the trusted proxy that the request came from has ended with
/// the address that it saw itself: the last entry that is not a trusted proxy again. What stands before it is
/// the client's own word and not looked at. Where all are proxies, the first; where the header is missing or
/// the entry is no address, the last proxy that was understood, or empty for none.
std::string forwarded_client(const request& message, const proxy_trust& trusted);

}  // namespace gallery::http
