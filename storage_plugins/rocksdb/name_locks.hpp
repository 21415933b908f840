// SPDX-License-Identifier: Apache-2.0
/// Locks striped over names.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::rocks {

/// Two names may share a lock, so several are always taken together and in order. For threads that may block.
class name_locks {
public:
    class held {
    public:
        explicit held(std::vector<std::unique_lock<std::mutex>> locks) : locks_(std::move(locks)) {}

    private:
        std::vector<std::unique_lock<std::mutex>> locks_;
    };

    [[nodiscard]] held lock(const std::vector<std::string_view>& names) {
        std::vector<std::size_t> places;
        places.reserve(names.size());
        for (const auto name : names)
            places.push_back(std::hash<std::string_view>{}(name) % stripes_.size());
        std::sort(places.begin(), places.end());
        places.erase(std::unique(places.begin(), places.end()), places.end());
        std::vector<std::unique_lock<std::mutex>> locks;
        locks.reserve(places.size());
        for (const std::size_t place : places)
            locks.emplace_back(stripes_[place]);
        return held(std::move(locks));
    }

private:
    /// These guard keys of the database. clang cannot follow locks whose number is only known at run time, so
    /// they are not gallery::mutex.
    std::array<std::mutex, 1024> stripes_;
};

}  // namespace gallery::rocks
