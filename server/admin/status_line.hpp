// SPDX-License-Identifier: Apache-2.0
/// One line on standard error that is drawn again and again, if that is a terminal.
#pragma once

#include <chrono>
#include <string_view>

namespace gallery::admin {

/// Used by one thread at a time.
class status_line {
public:
    explicit status_line(bool is_wanted);
    status_line(const status_line&) = delete;
    status_line& operator=(const status_line&) = delete;
    /// clear()s.
    ~status_line();

    [[nodiscard]] bool is_shown() const noexcept { return is_shown_; }
    /// Whether the last one was long enough ago: ten are drawn a second at most.
    [[nodiscard]] bool is_due() const noexcept;
    /// Precondition: is_shown().
    void draw(std::string_view text);
    void clear();

private:
    using clock = std::chrono::steady_clock;
    const bool is_shown_;
    bool is_drawn_ = false;
    clock::time_point drawn_at_;
};

}  // namespace gallery::admin
