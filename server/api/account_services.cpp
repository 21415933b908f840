// SPDX-License-Identifier: Apache-2.0
#include "api/account_services.hpp"

#include "api/pages.hpp"

namespace gallery::api {

result<uuid> id_parameter(const http::request& message, std::size_t index, std::string_view name) {
    const auto& text = message.param(index);
    if (const auto id = parse_uuid(text)) return *id;
    return bad_parameter(name, text, "a UUID, for instance 784f394c-42b6-435a-983c-b7beff2784f9");
}

}  // namespace gallery::api
