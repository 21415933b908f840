// SPDX-License-Identifier: Apache-2.0
#include "http/ticket_keys.hpp"

#include <gallery/clock.hpp>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace gallery::http {

namespace {

constexpr std::size_t name_size = 16;  // RFC 5077, 4
constexpr std::size_t key_size = 32;

struct keys {
    std::array<unsigned char, name_size> name;
    std::array<unsigned char, key_size> cipher;
    std::array<unsigned char, key_size> mac;
};

using derivation = std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)>;

/// HKDF with SHA-256 (RFC 5869).
std::optional<keys> derive(std::string_view secret, std::int64_t period) noexcept {
    const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> method(EVP_KDF_fetch(nullptr, "HKDF", nullptr),
                                                                   &EVP_KDF_free);
    const derivation context(method ? EVP_KDF_CTX_new(method.get()) : nullptr, &EVP_KDF_CTX_free);
    if (!context) return std::nullopt;
    std::array<char, 64> purpose{};
    const int size = std::snprintf(purpose.data(), purpose.size(), "gallery tls session tickets %lld",
                                   static_cast<long long>(period));
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 4> chosen{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<char*>(secret.data()),
                                          secret.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose.data(),
                                          static_cast<std::size_t>(size)),
        OSSL_PARAM_construct_end()};
    std::array<unsigned char, name_size + 2 * key_size> all{};
    if (EVP_KDF_derive(context.get(), all.data(), all.size(), chosen.data()) != 1) return std::nullopt;
    keys out;
    const auto* at = all.data();
    std::copy_n(at, name_size, out.name.begin());
    std::copy_n(at + name_size, key_size, out.cipher.begin());
    std::copy_n(at + name_size + key_size, key_size, out.mac.begin());
    OPENSSL_cleanse(all.data(), all.size());
    return out;
}

bool use(const keys& chosen, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
         bool encrypts) noexcept {
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 3> of_mac{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(chosen.mac.data()),
                                          key_size),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    return EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), chosen.cipher.data(), iv, encrypts ? 1 : 0,
                              nullptr) == 1 &&
           EVP_MAC_CTX_set_params(mac, of_mac.data()) == 1;
}

int place_in_context() noexcept {
    static const int place = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return place;
}

}  // namespace

ticket_keys::ticket_keys() : own_(key_size, '\0') {
    // Without random numbers there is no TLS either.
    if (RAND_bytes(reinterpret_cast<unsigned char*>(own_.data()), static_cast<int>(own_.size())) != 1)
        std::abort();
    shared_ = own_;
}

void ticket_keys::protect(SSL_CTX* context) const noexcept {
    SSL_CTX_set_ex_data(context, place_in_context(), const_cast<ticket_keys*>(this));
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &ticket_keys::callback);
}

// Returns, as OpenSSL wants it: 1 done, 2 done and the client gets a newer ticket, 0 no or an unknown ticket,
// so that the handshake is a full one, -1 a failure.
int ticket_keys::callback(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int encrypts) {
    const auto* const self =
        static_cast<const ticket_keys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), place_in_context()));
    const auto now = now_ms() / 1000 / period_seconds;
    const auto& secret = SSL_version(connection) >= TLS1_3_VERSION ? self->shared_ : self->own_;
    if (encrypts != 0) {
        const auto chosen = derive(secret, now);
        if (!chosen || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
        std::memcpy(name, chosen->name.data(), name_size);
        return use(*chosen, iv, cipher, mac, true) ? 1 : -1;
    }
    for (const auto period : {now, now - 1}) {
        const auto chosen = derive(secret, period);
        if (!chosen) return -1;
        if (CRYPTO_memcmp(name, chosen->name.data(), name_size) != 0) continue;
        if (!use(*chosen, iv, cipher, mac, false)) return -1;
        return period == now ? 1 : 2;
    }
    return 0;
}

}  // namespace gallery::http
