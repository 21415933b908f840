// SPDX-License-Identifier: Apache-2.0
/// The server's log: one line per event on standard error, as text or as JSON. A thread of its own writes it,
/// so a slow terminal or journal delays no other thread. If it cannot keep up, the oldest lines are lost.
///
/// Secrets are never passed to it. Control characters, including line ends, are escaped, so input of a client
/// cannot start a new line.
#pragma once

#include "config/settings.hpp"

#include <gallery/log_level.hpp>

#include <string>
#include <string_view>

namespace gallery::app {

/// Exists once, in main; the functions below do nothing before and after it.
class log_scope {
public:
    explicit log_scope(const config::logging_settings& settings);
    log_scope(const log_scope&) = delete;
    log_scope& operator=(const log_scope&) = delete;
    /// Writes out what is waiting.
    ~log_scope();
};

/// Other settings for lines that are logged from now on. One thread at a time.
void change_log(const config::logging_settings& settings);

/// Any thread; waits for no line to be written, unless flush_log() has begun.
void log(log_level level, std::string_view text) noexcept;
bool logs(log_level level) noexcept;

inline void log_debug(std::string_view text) noexcept {
    log(log_level::debug, text);
}
inline void log_info(std::string_view text) noexcept {
    log(log_level::info, text);
}
inline void log_warning(std::string_view text) noexcept {
    log(log_level::warning, text);
}
inline void log_error(std::string_view text) noexcept {
    log(log_level::error, text);
}

/// Writes out what is waiting, for a process that is about to end. Lines that threads log meanwhile may be
/// lost.
void flush_log() noexcept;

/// One line, as it is written; pure, for tests. @p milliseconds since 1970.
std::string format_log_line(config::log_format format, log_level level, std::int64_t milliseconds,
                            std::string_view text);

}  // namespace gallery::app
