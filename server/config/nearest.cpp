// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.hpp"

#include <algorithm>
#include <utility>

namespace gallery::config {

namespace {

constexpr std::size_t longest = 64;

// Row by row of the table of distances between all beginnings of both (Damerau and Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), next(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            next[j] = std::min({last[j] + 1, next[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                next[j] = std::min(next[j], before[j - 2] + 1);
            }
        }
        std::swap(before, last);
        std::swap(last, next);
    }
    return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& known,
                         std::size_t most) {
    std::string_view best;
    if (typed.size() > longest) return best;
    std::size_t least = most + 1;
    for (const auto one : known) {
        if (one.size() > longest) continue;
        const auto far = distance(typed, one);
        if (far < least) {
            least = far;
            best = one;
        }
    }
    return best;
}

}  // namespace gallery::config
