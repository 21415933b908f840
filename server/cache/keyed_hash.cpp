// SPDX-License-Identifier: Apache-2.0
#include "cache/keyed_hash.hpp"

#include <random>

namespace gallery::cache {

const std::array<std::uint64_t, 2>& hash_secret() noexcept {
    static const auto secret = [] {
        std::random_device device;
        const auto word = [&device] { return std::uint64_t{device()} << 32 | device(); };
        return std::array{word() | 1, word() | 1};
    }();
    return secret;
}

}  // namespace gallery::cache
