// SPDX-License-Identifier: Apache-2.0
#include "admin/suggest.hpp"

#include "config/nearest.hpp"

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

}  // namespace

std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& known) {
    for (const auto& [word, meant] : other_words) {
        if (word == typed && std::find(known.begin(), known.end(), meant) != known.end()) return meant;
    }
    // A third of the letters may be wrong, and at least one.
    return config::nearest(typed, known, std::max<std::size_t>(typed.size() / 3, 1));
}

}  // namespace gallery::admin
