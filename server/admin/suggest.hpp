// SPDX-License-Identifier: Apache-2.0
/// The known name that is nearest to a mistyped one. Pure.
#pragma once

#include <string_view>
#include <vector>

namespace gallery::admin {

/// The one of @p known that @p typed was probably meant to be: another word for it ("rm" for "delete"), or
/// the nearest by letters left out, put in, changed or swapped, if it is near. Else empty.
std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& known);

}  // namespace gallery::admin
