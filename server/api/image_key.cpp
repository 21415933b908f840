#include "api/image_key.hpp"

#include "gallery/keys.hpp"
#include "http/percent.hpp"

namespace gallery::api {

std::optional<std::string> key_decoded_again(std::string_view key) {
    std::string decoded;
    if (key.find('%') == key.npos || !http::percent_decode(key, decoded)) return std::nullopt;
    if (decoded == key || !service::check_name(decoded, "key")) return std::nullopt;
    return decoded;
}

}  // namespace gallery::api
