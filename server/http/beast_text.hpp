// SPDX-License-Identifier: Apache-2.0
/// The string views of the standard and of Beast, which are two types with Boost 1.81.
#pragma once

#include <boost/beast/core/string.hpp>

#include <string_view>

namespace gallery::http {

inline std::string_view from_beast(boost::beast::string_view text) noexcept {
    return {text.data(), text.size()};
}

inline boost::beast::string_view to_beast(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

}  // namespace gallery::http
