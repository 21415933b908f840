// SPDX-License-Identifier: Apache-2.0
/// The kinds of requests that a run sends.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gallery::load {

enum class operation : std::uint8_t {
    list,        ///< a page of images
    search,      ///< the images whose titles contain some text
    info,        ///< one image without its bytes
    get,         ///< the picture
    revalidate,  ///< the picture, if it is not the one that the client has (If-None-Match)
    preview,
    upload,  ///< a new image
    replace  ///< another picture for an image
};

inline constexpr std::array<std::string_view, 8> operation_names{
    "list", "search", "info", "get", "revalidate", "preview", "upload", "replace"};
inline constexpr std::size_t operation_count = operation_names.size();

constexpr std::string_view name_of(operation what) noexcept {
    return operation_names[static_cast<std::size_t>(what)];
}

constexpr std::optional<operation> operation_named(std::string_view name) noexcept {
    for (std::size_t i = 0; i < operation_count; ++i)
        if (operation_names[i] == name) return static_cast<operation>(i);
    return std::nullopt;
}

constexpr bool is_write(operation what) noexcept {
    return what == operation::upload || what == operation::replace;
}

}  // namespace gallery::load
