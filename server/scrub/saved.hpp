// SPDX-License-Identifier: Apache-2.0
/// What is stored of a scrub, so that it continues after a restart.
#pragma once

#include "scrub/damage.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::scrub {

/// The parts of a pass, in their order.
enum class stage : std::uint8_t {
    known,   ///< the bodies that are known to be damaged
    images,  ///< current images
    kept,    ///< kept versions
};

/// Of one pass.
struct figures {
    std::uint64_t images = 0;    ///< of which all bodies were read
    std::uint64_t versions = 0;  ///< likewise kept versions
    std::uint64_t bodies = 0;    ///< that were read
    std::uint64_t bytes = 0;     ///< of them
    std::uint64_t unnamed = 0;   ///< damaged bodies that the list of damage has no room for
    std::uint64_t unread = 0;    ///< records, and ends of lists, that could not be read

    friend bool operator==(const figures&, const figures&) = default;
};

struct saved_scrub {
    std::string store;  ///< names the store that the rest is about
    /// The next pass is due one interval after this and after the start of the last one. Milliseconds since
    /// 1970-01-01T00:00Z, as all times.
    std::int64_t idle_since = 0;
    bool is_running = false;
    std::int64_t started_at = 0;        ///< of the last pass; 0: never
    std::int64_t completed_at = 0;      ///< end of the last pass that has read everything; 0: never
    std::optional<std::uint64_t> rate;  ///< of this pass, instead of the configured one; 0: no limit
    stage at = stage::known;
    std::string cursor;   ///< of the engine; empty at the begin of a stage
    figures done;         ///< up to the cursor
    figures total;        ///< as counted at the start of the pass
    damage_list damage;   ///< also of earlier passes, until it is read again
    std::string problem;  ///< why the last pass has not ended; empty if there is none
    /// What the pass in progress could not read, or the last one if there is none yet: the first such record
    /// or list. Empty if there is none.
    std::string unread;

    [[nodiscard]] std::uint64_t damaged() const noexcept { return damage.all().size() + done.unnamed; }

    friend bool operator==(const saved_scrub&, const saved_scrub&) = default;
};

/// At most 64 KiB if keys and problems are not longer than engines make them.
std::string to_json(const saved_scrub& value);
/// Empty for a text that to_json() cannot have returned.
std::optional<saved_scrub> parse_saved_scrub(std::string_view text);

}  // namespace gallery::scrub
