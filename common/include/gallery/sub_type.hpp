// SPDX-License-Identifier: Apache-2.0
/// The sub types of images, as they are written in JSON, in forms and by storage engines. A new one is added
/// to image_sub_type (model.hpp) and to this table. A static_assert then names the code of the kit that is
/// made for two.
#pragma once

#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/name_table.hpp>
#include <gallery/text.hpp>

#include <string>
#include <string_view>

namespace gallery {

inline constexpr name_table<image_sub_type, 2> sub_types{{{
    {image_sub_type::image, "IMAGE"},
    {image_sub_type::scada_symbol, "SCADA_SYMBOL"},
}}};

/// The sub type with this name. Error: invalid_argument that begins with @p what, for instance "The field
/// 'subType'", and names the sub types.
inline result<image_sub_type> parse_sub_type(std::string_view name, std::string_view what) {
    if (const auto known = sub_types.find(name)) return *known;
    const auto shown = name.substr(0, 40);
    return error{errc::invalid_argument, std::string(what) + " is '" +
                                             (is_utf8(shown) ? std::string(shown) : "(not a text)") +
                                             "'. It takes " + sub_types.choices() + "."};
}

}  // namespace gallery
