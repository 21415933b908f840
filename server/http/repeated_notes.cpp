// SPDX-License-Identifier: Apache-2.0
#include "http/repeated_notes.hpp"

#include <algorithm>
#include <utility>

namespace gallery::http {

std::optional<std::uint64_t> repeated_notes::admit(std::string_view note, time_point now) {
    const lock_guard lock(mutex_);
    const auto found = std::ranges::find(entries_, note, &entry::note);
    if (found == entries_.end()) {
        if (entries_.size() == remembered) entries_.pop_back();
        entries_.push_front({std::string(note), now});
        return 0;
    }
    if (now - found->logged < period) {
        ++found->withheld;
        return std::nullopt;
    }
    found->logged = now;
    entries_.splice(entries_.begin(), entries_, found);
    return std::exchange(found->withheld, 0);
}

}  // namespace gallery::http
