// SPDX-License-Identifier: Apache-2.0
/// The plugin's options.
#pragma once

#include "endpoints.hpp"

#include <gallery/error.hpp>
#include <gallery/plugin.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gallery::postgres {

extern const char* const options_schema;

struct options {
    std::vector<endpoint> servers;
    std::string root_certificates;  ///< PEM; may be empty
    std::string schema;
    bool allow_unreplicated = false;
    std::size_t connections = 8;           ///< for bodies and upkeep, beside four with duties of their own
    std::uint64_t cache_bytes = 64 << 20;  ///< bodies in memory
    std::chrono::milliseconds timeout{10'000};         ///< of one exchange with the database
    std::chrono::milliseconds connect_timeout{2'000};  ///< of connecting to one server
    std::chrono::milliseconds poll{1'000};             ///< how often the feed is read without a hint
    std::chrono::milliseconds heartbeat{500};  ///< how old the last commit on a believed connection may be
    std::size_t changes_kept = 10'000;
};

/// Values of options_schema. Errors: as endpoints_of().
result<options> parse_options(const std::map<std::string, std::string>& values,
                              const std::optional<confinement>& confined);

}  // namespace gallery::postgres
