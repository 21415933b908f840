// SPDX-License-Identifier: Apache-2.0
/// What a server can be given anew while it serves connections: routes, limits, timeouts, trusted proxies,
/// and rules for pages of other origins.
///
/// A request keeps the rules that were in use when it began, so it never sees a part of the old and a part of
/// the new ones. Each I/O thread has its own count of those who keep them, which costs a request no atomic
/// operation.
#pragma once

#include "http/cross_origin.hpp"
#include "http/forwarded.hpp"
#include "http/router.hpp"
#include "http/server.hpp"

#include <boost/smart_ptr/local_shared_ptr.hpp>
#include <boost/smart_ptr/shared_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace gallery::http {

/// Immutable.
struct serving_rules {
    std::uint64_t number = 0;  ///< the first ones of a server are 1, the next ones 2
    std::size_t connections = 0;
    std::size_t connections_per_client = 0;  ///< 0: no limit
    http::timeouts timeouts;
    front_door front;
    admit_client admit;  ///< may be empty
    http::cross_origin cross_origin;
    std::string hsts_line;                 ///< empty where it is not sent
    std::shared_ptr<const router> routes;  ///< null until server::listen()
};

/// Shared by the threads of a server.
using shared_rules = boost::shared_ptr<const serving_rules>;
/// One I/O thread's.
using rules_ptr = boost::local_shared_ptr<const serving_rules>;

/// @p options: those members that apply() describes.
shared_rules make_rules(const server_options& options, std::shared_ptr<const router> routes,
                        std::uint64_t number);

}  // namespace gallery::http
