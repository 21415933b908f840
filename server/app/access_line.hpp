// SPDX-License-Identifier: Apache-2.0
/// The lines of the access log.
#pragma once

#include "app/access_entry.hpp"
#include "config/settings.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gallery::app {

/// Longer texts of a client are cut, and end in "...".
inline constexpr std::size_t longest_logged_target = 2048;
inline constexpr std::size_t longest_logged_header = 512;

/// Each byte of a client's text may become six, and about 1 KiB is left for everything else.
inline constexpr std::size_t longest_access_line = 24 * 1024;

/// Writes lines in one of the formats. A line is printable ASCII and one LF at its end, whatever a client
/// sent: quotes and backslashes have a backslash in front, and every other byte that is not printable ASCII
/// is \xHH, in JSON \u00HH. So no client can begin a line or a field, or steer a terminal.
///
/// Neither allocates nor calls the system, except once a second for the date. Used by one thread.
class access_line {
public:
    /// Precondition: not off.
    explicit access_line(config::access_log_format format) noexcept : format_(format) {}

    /// The line, in memory that the next call overwrites.
    std::string_view write(const access_entry& entry) noexcept;

private:
    void note_second(std::int64_t second) noexcept;
    char* write_combined(const access_entry& entry) noexcept;
    char* write_json(const access_entry& entry) noexcept;

    config::access_log_format format_;
    std::int64_t second_ = -1;
    std::array<char, 32> date_{};  // of that second, as the format has it
    std::size_t date_size_ = 0;
    std::array<char, longest_access_line> text_{};
};

}  // namespace gallery::app
