// SPDX-License-Identifier: Apache-2.0
/// What the fuzz targets share.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace gallery::fuzz {

/// Ends the process where an invariant does not hold, and says which one and for what.
inline void hold(bool invariant, const char* what, std::string_view input) {
    if (invariant) return;
    std::fprintf(stderr, "broken: %s, with %zu bytes:\n", what, input.size());
    std::fwrite(input.data(), 1, input.size(), stderr);
    std::abort();
}

/// The input in memory of exactly its size.
class exact {
public:
    explicit exact(std::string_view input) : size_(input.size()), data_(new char[input.size()]) {
        if (size_ > 0) std::memcpy(data_.get(), input.data(), size_);
    }
    [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }
    [[nodiscard]] std::span<const char> span() const noexcept { return {data_.get(), size_}; }

private:
    std::size_t size_;
    std::unique_ptr<char[]> data_;
};

inline bool inside(std::string_view part, std::string_view whole) noexcept {
    return part.empty() ||
           (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace gallery::fuzz
