// SPDX-License-Identifier: Apache-2.0
#include "http/repeated_notes.hpp"

#include <utility>

namespace gallery::http {

std::optional<std::uint64_t> repeated_notes::admit(std::string_view note, time_point now) {
    const lock_guard lock(mutex_);
    auto* const found = logged_.peek(note);
    if (found == nullptr) {
        logged_.put(std::string(note), {now}, 1);
        return 0;
    }
    if (now - found->value.logged < period) {
        ++found->value.withheld;
        return std::nullopt;
    }
    found->value.logged = now;
    logged_.use(*found);
    return std::exchange(found->value.withheld, 0);
}

}  // namespace gallery::http
