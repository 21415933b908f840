// SPDX-License-Identifier: Apache-2.0
/// Which of many equal notes are logged.
///
/// A server that is too busy, or that cannot reach its store, refuses thousands of requests a second for one
/// and the same reason. That is logged once a minute, with the number of requests that were refused since.
#pragma once

#include <gallery/bounded_lru.hpp>
#include <gallery/mutex.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

/// Thread-safe. Remembers the few notes that were logged last; another one is logged as if it were new.
class repeated_notes {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::minutes period{1};
    static constexpr std::size_t remembered = 16;

    /// How many equal notes were withheld since the last one that was logged; no value: withhold this one.
    std::optional<std::uint64_t> admit(std::string_view note, time_point now);

private:
    struct state {
        time_point logged;
        std::uint64_t withheld = 0;
    };
    mutex mutex_;
    /// By note, in the order in which they were logged last.
    bounded_lru<std::string, state, text_hash> logged_ GALLERY_GUARDED_BY(mutex_){remembered};
};

}  // namespace gallery::http
