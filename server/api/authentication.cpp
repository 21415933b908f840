// SPDX-License-Identifier: Apache-2.0
#include "api/authentication.hpp"

namespace gallery::api {

result<auth::principal_ptr> principal_of(http::request& message, const verify_credentials& verify) {
    if (const auto& known = message.attachment())
        return std::static_pointer_cast<const auth::principal>(known);
    auto credentials = message.header(http::field::x_authorization);
    if (credentials.empty()) credentials = message.header(http::field::authorization);
    auto verified = verify(credentials);
    if (verified) message.attachment() = *verified;
    return verified;
}

const auth::principal* known_principal(const http::request& message) noexcept {
    return static_cast<const auth::principal*>(message.attachment().get());
}

}  // namespace gallery::api
