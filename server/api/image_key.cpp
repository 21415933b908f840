// SPDX-License-Identifier: Apache-2.0
#include "api/image_key.hpp"

#include "http/percent.hpp"
#include "images/keys.hpp"

#include <utility>

namespace gallery::api {

bool may_be_encoded_twice(std::string_view key) noexcept {
    return key.find('%') != key.npos;
}

task<std::string> stored_key(images::image_service& service, images::image_view_permit may, std::string key) {
    std::string decoded;
    if (!may_be_encoded_twice(key) || !http::percent_decode(key, decoded) || decoded == key) co_return key;
    if (!images::check_name(decoded, "key")) co_return key;
    const auto as_it_is = co_await service.find(may.lend(), key);
    if (as_it_is || as_it_is.error().code != errc::not_found) co_return key;
    const auto decoded_again = co_await service.find(may.lend(), decoded);
    co_return decoded_again ? decoded : key;
}

error replaced_too_often() {
    return {errc::busy, "The image is being replaced faster than it can be read. Try again."};
}

}  // namespace gallery::api
