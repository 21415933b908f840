// SPDX-License-Identifier: Apache-2.0
/// The records of entries that were looked up lately, so that the images in demand are not made again, and a
/// request for one allocates nothing.
#pragma once

#include <gallery/kit/catalog.hpp>
#include <gallery/mutex.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace gallery::kit {

/// A place for each number modulo 4,096; the last record that was made is in it. About 3 MB with texts of 200
/// bytes each, and 32 MB where every record has texts of several thousand.
/// Thread-safe. The owner erases a number before it is given to another entry.
class recent_records {
public:
    /// Empty if it is not here.
    [[nodiscard]] stored find(std::uint32_t number) const {
        const auto& own_shard = shard_of(number);
        const lock_guard lock(own_shard.mutex);
        const auto& found = own_shard.slots[slot_of(number)];
        return found.number == number ? found.item : stored{};
    }
    void put(std::uint32_t number, stored item) {
        auto& own_shard = shard_of(number);
        const lock_guard lock(own_shard.mutex);
        auto& to = own_shard.slots[slot_of(number)];
        to.number = number;
        std::swap(to.item, item);
    }
    void erase(std::uint32_t number) {
        auto& own_shard = shard_of(number);
        const lock_guard lock(own_shard.mutex);
        auto& from = own_shard.slots[slot_of(number)];
        if (from.number == number) from = {};
    }

private:
    static constexpr std::size_t width = 64;  ///< shards, and slots of one
    struct slot {
        std::uint32_t number = 0;
        stored item;
    };
    struct shard {
        mutable gallery::mutex mutex;
        std::array<slot, width> slots GALLERY_GUARDED_BY(mutex);
    };
    // Neighbours are in different shards.
    [[nodiscard]] shard& shard_of(std::uint32_t number) const noexcept { return shards_[number % width]; }
    static std::size_t slot_of(std::uint32_t number) noexcept { return number / width % width; }

    std::unique_ptr<shard[]> shards_ = std::make_unique<shard[]>(width);
};

}  // namespace gallery::kit
