// SPDX-License-Identifier: Apache-2.0
#include <gallery/sha256.hpp>

#include <gallery/encode.hpp>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <cstdlib>

namespace gallery {

sha256_digest sha256(std::span<const char> data) noexcept {
    sha256_hasher hasher;
    hasher.update(data);
    return hasher.finish();
}

std::string to_hex(const sha256_digest& digest) {
    const auto digits = hex_digits(digest);
    return {digits.data(), digits.size()};
}

std::optional<sha256_digest> parse_sha256(std::string_view hex) noexcept {
    sha256_digest digest{};
    if (hex.size() != digest.size() * 2 || hex.find_first_not_of(lower_hex_digits) != hex.npos)
        return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<std::byte>(hex_octet(hex[2 * i], hex[2 * i + 1]));
    return digest;
}

struct sha256_hasher::state {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    state() = default;
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() { EVP_MD_CTX_free(context); }
};

// OpenSSL's SHA-256 fails only where memory is exhausted or the library is not there; neither is a state
// to go on in with images to keep.
sha256_hasher::sha256_hasher() : state_(std::make_unique<state>()) {
    if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1)
        std::abort();
}
sha256_hasher::sha256_hasher(sha256_hasher&&) noexcept = default;
sha256_hasher& sha256_hasher::operator=(sha256_hasher&&) noexcept = default;
sha256_hasher::~sha256_hasher() = default;

void sha256_hasher::update(std::span<const char> data) noexcept {
    if (EVP_DigestUpdate(state_->context, data.data(), data.size()) != 1) std::abort();
}

sha256_digest sha256_hasher::finish() noexcept {
    sha256_digest digest{};
    unsigned length = 0;
    if (EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(digest.data()), &length) != 1)
        std::abort();
    return digest;
}

}  // namespace gallery
