// SPDX-License-Identifier: Apache-2.0
/// The data of a request for the access log.
#pragma once

#include "http/server.hpp"

#include <gallery/uuid.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace gallery::app {

/// What the caches of the server had of an answer that is no error.
enum class cache_outcome : std::uint8_t {
    none,         ///< the answer is an error, or does not come from a cache
    hit,          ///< sent from memory
    revalidated,  ///< 304 from memory: the client has the current bytes
    miss,         ///< the storage engine was asked
};

/// Views of a finished exchange, valid as long as it is. Empty texts and null ids are not known.
struct access_entry {
    std::int64_t milliseconds = 0;  ///< since 1970, of the end of the answer
    std::string_view id;
    std::string_view trace;
    std::string_view client;  ///< its address
    const uuid* user = nullptr;
    const uuid* api_key = nullptr;
    const uuid* tenant = nullptr;
    std::string_view method;
    std::string_view target;  ///< as received; not for logging as it is, see loggable_target.hpp
    int version = 11;         ///< 10 or 11
    std::string_view route;
    unsigned status = 0;
    std::uint64_t received = 0;  ///< bytes of the body
    std::uint64_t sent = 0;      ///< bytes of head and body
    std::chrono::nanoseconds duration{0};
    cache_outcome cache = cache_outcome::none;
    bool complete = true;
    std::string_view referrer;  ///< as received; as target
    std::string_view user_agent;
};

access_entry entry_of(const http::finished_exchange& e, std::int64_t milliseconds) noexcept;

}  // namespace gallery::app
