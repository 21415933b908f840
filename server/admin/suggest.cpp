// SPDX-License-Identifier: Apache-2.0
#include "admin/suggest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace gallery::admin {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 17> other_words{{
    {"add", "create"},
    {"new", "create"},
    {"make", "create"},
    {"ls", "list"},
    {"get", "show"},
    {"info", "show"},
    {"rm", "delete"},
    {"remove", "delete"},
    {"rename", "update"},
    {"set", "update"},
    {"edit", "update"},
    {"revoke", "delete"},
    {"passwd", "password"},
    {"api-key", "apikey"},
    {"key", "apikey"},
    {"lock", "disable"},
    {"--password", "--password-stdin"},
}};

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

std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& known) {
    for (const auto& [word, meant] : other_words) {
        if (word == typed && std::find(known.begin(), known.end(), meant) != known.end()) return meant;
    }
    constexpr std::size_t longest = 64;
    if (typed.size() > longest) return {};
    std::string_view best;
    // A third of the letters may be wrong, and at least one.
    std::size_t least = std::max<std::size_t>(typed.size() / 3, 1) + 1;
    for (const auto one : known) {
        const auto far = distance(typed, one);
        if (far < least) {
            least = far;
            best = one;
        }
    }
    return best;
}

}  // namespace gallery::admin
