// SPDX-License-Identifier: Apache-2.0
#include "images/tags.hpp"

#include "images/keys.hpp"

#include <algorithm>

namespace gallery::images {

result<std::vector<std::string>> checked_tags(std::vector<std::string> given) {
    for (const auto& tag : given) {
        if (auto checked = check_text(tag, "tag", max_tag_characters); !checked) return checked.error();
    }
    std::sort(given.begin(), given.end());
    given.erase(std::unique(given.begin(), given.end()), given.end());
    if (given.size() > max_tags) {
        return error{errc::invalid_argument, "There are " + std::to_string(given.size()) +
                                                 " tags. An image has at most " + std::to_string(max_tags) +
                                                 "."};
    }
    return given;
}

}  // namespace gallery::images
