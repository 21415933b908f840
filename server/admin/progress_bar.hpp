// SPDX-License-Identifier: Apache-2.0
/// One line on a terminal that shows how far a copy is.
#pragma once

#include "admin/status_line.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace gallery::admin {

struct progress_figures {
    std::uint64_t done = 0;   ///< images
    std::uint64_t total = 0;  ///< may be smaller than done, if the source grows
    std::uint64_t bytes = 0;
    std::uint64_t total_bytes = 0;
};

/// "[#####.....]  50 %  1000/2000 images  1.5/3.0 GB  52 MB/s  29 s left", at most 79 columns. The rate is
/// over @p elapsed, in which @p begun became @p now. Pure.
std::string render_progress(const progress_figures& now, const progress_figures& begun,
                            std::chrono::milliseconds elapsed);

/// Draws the line on a terminal.
class progress_bar {
public:
    explicit progress_bar(bool is_wanted) : line_(is_wanted) {}

    void show(const progress_figures& now);
    void clear() { line_.clear(); }

private:
    using clock = std::chrono::steady_clock;
    status_line line_;
    bool is_begun_ = false;
    progress_figures begun_;
    clock::time_point begun_at_;
};

}  // namespace gallery::admin
