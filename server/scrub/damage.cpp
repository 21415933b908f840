// SPDX-License-Identifier: Apache-2.0
#include "scrub/damage.hpp"

#include <algorithm>
#include <utility>

namespace gallery::scrub {

namespace {

bool is_same_body(const damaged_body& a, const damaged_body& b) noexcept {
    return a.id == b.id && a.content_rev == b.content_rev && a.which == b.which;
}

}  // namespace

std::string describe(const damaged_body& body) {
    return std::string(body.which == representation::original ? "the original" : "the preview") +
           " of the image '" + body.key + "' (" + to_string(body.id) + ") of the tenant " +
           to_string(body.tenant);
}

damage_list::addition damage_list::add(damaged_body found) {
    const auto known = std::find_if(all_.begin(), all_.end(),
                                    [&found](const damaged_body& one) { return is_same_body(one, found); });
    if (known != all_.end()) return addition::known;
    if (all_.size() == max_size) return addition::full;
    all_.push_back(std::move(found));
    return addition::added;
}

bool damage_list::remove(const damaged_body& sound) {
    return std::erase_if(all_, [&sound](const damaged_body& one) { return is_same_body(one, sound); }) > 0;
}

}  // namespace gallery::scrub
