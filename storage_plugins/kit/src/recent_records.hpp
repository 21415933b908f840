// SPDX-License-Identifier: Apache-2.0
/// The records of entries that were looked up lately, so that the images in demand are not made again, and a
/// request for one allocates nothing.
#pragma once

#include <gallery/kit/catalog.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace gallery::kit {

/// A place for each number modulo 4,096; the last record that was made is in it. About 3 MB at most.
/// Thread-safe. The owner erases a number before it is given to another entry.
class recent_records {
public:
    /// Empty if it is not here.
    [[nodiscard]] stored find(std::uint32_t number) const {
        const std::lock_guard lock(mutex_of(number));
        const auto& place = places_[number % places];
        return place.number == number ? place.item : stored{};
    }
    void put(std::uint32_t number, stored item) {
        const std::lock_guard lock(mutex_of(number));
        auto& place = places_[number % places];
        place.number = number;
        std::swap(place.item, item);
    }
    void erase(std::uint32_t number) {
        const std::lock_guard lock(mutex_of(number));
        auto& place = places_[number % places];
        if (place.number == number) place = {};
    }

private:
    static constexpr std::size_t places = 4096;
    struct slot {
        std::uint32_t number = 0;
        stored item;
    };
    [[nodiscard]] std::mutex& mutex_of(std::uint32_t number) const noexcept {
        return mutexes_[number % mutexes_.size()];
    }

    mutable std::array<std::mutex, 64> mutexes_;  ///< each for some of the places
    std::vector<slot> places_ = std::vector<slot>(places);
};

}  // namespace gallery::kit
