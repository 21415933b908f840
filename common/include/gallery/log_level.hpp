// SPDX-License-Identifier: Apache-2.0
/// How serious a message to the operator is.
#pragma once

#include <gallery/name_table.hpp>

#include <cstdint>
#include <functional>
#include <string_view>

namespace gallery {

enum class log_level : std::uint8_t { debug, info, warning, error };

/// As in the configuration and in the log.
inline constexpr name_table<log_level, 4> log_levels{{{
    {log_level::debug, "debug"},
    {log_level::info, "info"},
    {log_level::warning, "warning"},
    {log_level::error, "error"},
}}};

/// Takes one message, one line without its end. Any thread.
using log_function = std::function<void(log_level, std::string_view)>;

}  // namespace gallery
