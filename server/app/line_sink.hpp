// SPDX-License-Identifier: Apache-2.0
/// Where lines are written to.
#pragma once

#include <gallery/error.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace gallery::app {

/// Used by one thread.
class line_sink {
public:
    struct outcome {
        std::size_t written = 0;  ///< bytes, from the beginning
        int reason = 0;           ///< why the rest was not: an errno; 0: all was written
    };

    line_sink() = default;
    line_sink(const line_sink&) = delete;
    line_sink& operator=(const line_sink&) = delete;
    virtual ~line_sink() = default;

    /// Writes @p first, then @p second: lines, of which one may be in both. What is not written will not be
    /// given again, and the next lines begin on a line of their own.
    virtual outcome write(std::string_view first, std::string_view second) noexcept = 0;

    /// Goes on in a new file where the old one was renamed. On an error the old one stays in use.
    virtual result<void> reopen() = 0;
};

/// Appends to a file, which it makes if there is none, for its owner only. Errors: invalid_argument with the
/// path and the reason.
result<std::unique_ptr<line_sink>> open_file_sink(std::string path);

/// Standard output. A reader that is too slow loses lines, and delays the log by at most a second.
std::unique_ptr<line_sink> standard_output_sink();

}  // namespace gallery::app
