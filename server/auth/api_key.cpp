// SPDX-License-Identifier: Apache-2.0
#include "auth/api_key.hpp"

#include "auth/random.hpp"

namespace gallery::auth {
namespace {

constexpr std::size_t api_key_letters = 43;

}  // namespace

std::string generate_api_key() {
    return std::string(api_key_prefix) + random_alphanumerics(api_key_letters);
}

sha256_digest api_key_digest(std::string_view secret) noexcept {
    return sha256({secret.data(), secret.size()});
}

}  // namespace gallery::auth
