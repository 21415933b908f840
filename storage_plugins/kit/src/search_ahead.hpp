// SPDX-License-Identifier: Apache-2.0
/// A search that holds its lock for a few pages at a time.
#pragma once

#include "image_lists.hpp"

#include <cstddef>

namespace gallery::kit {

/// Examines a shelf for list_images(), which then has to look only at pages that changed meanwhile. @p lock()
/// returns a lock, which is held for some 20 microseconds. @p part() returns the shelf, which may be another
/// one under each lock.
template <class Lock, class PartOf>
void search_ahead(Lock lock, PartOf part, const row_selection& by, row_matches& found) {
    // A long search is followed by a short one for what changed during it.
    constexpr std::size_t long_search = 16;
    for (int round = 0; round < 2; ++round) {
        std::size_t place = 0;
        std::size_t parts = 0;
        for (bool goes_on = true; goes_on; ++parts) {
            const auto held = lock();
            const list_part now = part();
            goes_on = false;
            if (now.rows == nullptr) continue;
            place = found.examine(*now.table, *now.rows, by, place, search_budget);
            goes_on = place < now.rows->pages.all.size();
        }
        if (parts < long_search) return;
    }
}

}  // namespace gallery::kit
