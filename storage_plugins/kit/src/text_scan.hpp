// SPDX-License-Identifier: Apache-2.0
/// Substring search over many short texts that are stored one after the other in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::kit {

/// The texts contain no NUL, which separates them, so one search runs over all of them at the speed of
/// memory, without a pointer per text. Not thread-safe.
class text_scan {
public:
    /// Returns the slot of the text, for erase(). find() and moved() return @p tag.
    std::size_t add(std::string_view text, void* tag);

    void erase(std::size_t slot);

    /// Tags of all texts that contain @p part, which is not empty.
    [[nodiscard]] std::vector<void*> find(std::string_view part) const;

    /// True after many erasures: compact() gives each text a new slot and calls @p moved(tag, slot).
    [[nodiscard]] bool wants_compaction() const noexcept {
        return dead_bytes_ > 4096 && dead_bytes_ > text_.size() / 2;
    }
    template <class Moved>
    void compact(Moved moved) {
        text_scan next;
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            if (slots_[i].tag == nullptr) continue;
            moved(slots_[i].tag, next.add(text_of(i), slots_[i].tag));
        }
        *this = std::move(next);
    }

private:
    struct slot {
        std::size_t offset;
        void* tag;  ///< null where it was erased
    };
    [[nodiscard]] std::string_view text_of(std::size_t index) const;

    std::string text_;
    std::vector<slot> slots_;
    std::size_t dead_bytes_ = 0;
};

}  // namespace gallery::kit
