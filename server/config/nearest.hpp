// SPDX-License-Identifier: Apache-2.0
/// The known name that is nearest to an unknown one. Pure.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace gallery::config {

/// The one of @p known that differs least from @p typed, by characters left out, put in, changed or swapped,
/// at most @p most of them. Of several the first. Empty if there is none, and for a text of more than 64
/// characters.
std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& known,
                         std::size_t most);

}  // namespace gallery::config
