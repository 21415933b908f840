// SPDX-License-Identifier: Apache-2.0
#include "api/authentication.hpp"

#include "auth/request_limit.hpp"

#include <utility>

namespace gallery::api {

result<auth::principal_ptr> principal_of(http::request& message, const verify_credentials& verify) {
    if (const auto& known = message.attachment())
        return std::static_pointer_cast<const auth::principal>(known);
    auto credentials = message.header(http::field::x_authorization);
    if (credentials.empty()) credentials = message.header(http::field::authorization);
    auto verified = verify(credentials);
    if (!verified) return verified;
    // Also of a request that is refused, so that the access log contains whose it is.
    message.attachment() = *verified;
    if (auto taken = auth::take_request(**verified); !taken) return std::move(taken).error();
    return verified;
}

const auth::principal* known_principal(const http::request& message) noexcept {
    return static_cast<const auth::principal*>(message.attachment().get());
}

}  // namespace gallery::api
