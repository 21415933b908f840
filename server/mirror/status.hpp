// SPDX-License-Identifier: Apache-2.0
/// What is known about the mirror of a server.
#pragma once

#include "mirror/shared_status.hpp"
#include "mirror/work.hpp"

#include <gallery/model.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gallery::mirror {

enum class mirror_state : std::uint8_t {
    none,       ///< there is no mirror
    copying,    ///< a comparing pass is in progress
    following,  ///< changes are applied as they happen
    switching,  ///< the target becomes the store of the server
    stopped,    ///< the target is closed; a complete copy if `completed` is set
    failed,     ///< status.problem contains the reason; see status.is_retried
};

/// What a complete copy contains.
struct completion {
    revision rev = 0;  ///< of the source
    std::uint64_t images = 0;
    std::uint64_t bytes = 0;     ///< of originals and previews of these images
    std::uint64_t versions = 0;  ///< kept versions
    std::uint64_t damaged = 0;   ///< items that are missing because the source could not return them
    std::int64_t time = 0;       ///< milliseconds since 1970-01-01T00:00Z

    friend bool operator==(const completion&, const completion&) = default;
};

/// The outcome of the last verification.
struct verification {
    std::int64_t time = 0;                 ///< of its end, milliseconds since 1970-01-01T00:00Z
    std::uint64_t images = 0;              ///< in the source
    std::uint64_t bodies = 0;              ///< pairs of bodies that were read and hashed in the last round
    std::uint64_t rounds = 0;              ///< more than one if differences were repaired
    bool is_same = false;                  ///< the last round found no difference
    std::vector<std::string> differences;  ///< found and repaired in all rounds; at most max_listed
};

/// The last switch since the start of the server.
struct last_switch {
    std::int64_t time = 0;  ///< milliseconds since 1970-01-01T00:00Z
    std::string from_engine;
    std::string from_path;
    std::chrono::nanoseconds held{};  ///< how long writes waited at most
};

struct mirror_status {
    static constexpr std::size_t max_listed = 100;  ///< texts of a list

    mirror_state state = mirror_state::none;
    std::string run;  ///< random, of one start of a mirror or backup until its end; empty without a mirror
    std::string engine;
    std::string path;
    bool is_backup = false;    ///< it ends by itself as soon as it is complete
    bool is_stopping = false;  ///< a stop was requested and has not ended
    bool is_verifying = false;
    bool is_retried = false;  ///< failed: the target is opened again every few seconds
    bool can_switch = false;  ///< the target can become the store of the server now
    figures done;
    revision position = 0;  ///< the target contains the source up to here
    std::uint64_t lag = 0;  ///< revisions that the source is ahead
    /// The target contains what was written before this time; milliseconds since 1970; 0: never.
    std::int64_t current_at = 0;
    std::string problem;  ///< empty if there is none
    /// Why a switch that has ended still keeps other servers away; empty if it does not.
    std::string claim_problem;
    std::vector<std::string> damage;  ///< items that cannot be read from the source; at most max_listed
    std::optional<completion> completed;
    std::optional<verification> verified;
    /// When the last backup became complete, whatever was started since; milliseconds since 1970; 0: never.
    std::int64_t backup_at = 0;
    std::uint64_t switches = 0;  ///< since the start of the server
    std::optional<last_switch> switched;
};

/// For how long the mirror has been behind; 0 if it is current, does not follow, or was never current.
inline double lag_seconds(const mirror_status& s, std::int64_t now) noexcept {
    if (s.state != mirror_state::following || s.lag == 0 || s.current_at == 0) return 0;
    return static_cast<double>(std::max<std::int64_t>(now - s.current_at, 0)) / 1000;
}

using status_board = shared_status<mirror_status>;

}  // namespace gallery::mirror
