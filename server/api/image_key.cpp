// SPDX-License-Identifier: Apache-2.0
#include "api/image_key.hpp"

#include "http/percent.hpp"
#include "images/keys.hpp"

namespace gallery::api {

std::optional<std::string> key_decoded_again(std::string_view key) {
    std::string decoded;
    if (key.find('%') == key.npos || !http::percent_decode(key, decoded)) return std::nullopt;
    if (decoded == key || !images::check_name(decoded, "key")) return std::nullopt;
    return decoded;
}

}  // namespace gallery::api
