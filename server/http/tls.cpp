// SPDX-License-Identifier: Apache-2.0
#include "http/tls.hpp"

#include "http/gathered_records.hpp"

#include <gallery/encode.hpp>

#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace gallery::http {

namespace {

/// The first entry of OpenSSL's queue is what happened; the last one only which of its parts was asked.
error tls_error(const std::string& what) {
    const auto code = ERR_peek_error();
    std::string reason = "no reason given";
    if (ERR_SYSTEM_ERROR(code)) {
        reason = std::generic_category().message(ERR_GET_REASON(code));
    } else if (const char* text = ERR_reason_error_string(code); text != nullptr) {
        reason = text;
    }
    ERR_clear_error();
    return {errc::invalid_argument, what + ": " + reason};
}

/// An encrypted key, in either of the two PEM forms.
bool is_encrypted(const std::string& key_file) {
    std::ifstream in(key_file);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("-----BEGIN ENCRYPTED") || line.starts_with("Proc-Type: 4,ENCRYPTED"))
            return true;
    }
    return false;
}

/// OpenSSL knows a wrong password by the padding alone. One in 256 decrypts to noise with the right padding,
/// for which it gives another reason, so the advice does not depend on the reason.
error key_error(const tls_options& options) {
    auto failed = tls_error("The private key '" + options.key_file + "' cannot be used");
    if (is_encrypted(options.key_file)) {
        failed.message += options.key_password.empty() ? ". It is encrypted: set SSL_PEM_KEY_PASSWORD"
                                                       : ". It is encrypted: check SSL_PEM_KEY_PASSWORD";
    }
    return failed;
}

// Only HTTP/1.1 is supported; the handshake refuses clients that offer only other protocols.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                    unsigned offered_length, void*) {
    static constexpr std::array<unsigned char, 9> ours{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_length, ours.data(), ours.size(), offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

int give_password(char* buffer, int size, int, void* password) {
    const auto& text = *static_cast<const std::string*>(password);
    if (size < 0 || text.size() > static_cast<std::size_t>(size)) return -1;
    text.copy(buffer, text.size());
    return static_cast<int>(text.size());
}

// Forward secrecy and authenticated encryption: a key that is stolen later opens nothing that was recorded.
// What TLS 1.3 has is of that kind anyway.
constexpr const char* strong_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// OpenSSL ignores unknown names without an error as long as one name is known.
result<void> set_ciphers(SSL_CTX* context, std::string_view names) {
    std::string old;
    std::string modern;
    for (std::string_view rest = names; !rest.empty();) {
        const auto end = std::min(rest.find(':'), rest.size());
        const std::string name(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (name.empty()) continue;
        const bool is_modern = name.starts_with("TLS_");
        const bool is_name = name.find_first_of("!-+@") != 0;
        if (is_name && (is_modern ? SSL_CTX_set_ciphersuites(context, name.c_str())
                                  : SSL_CTX_set_cipher_list(context, name.c_str())) != 1) {
            ERR_clear_error();
            return error{errc::invalid_argument,
                         "The TLS cipher '" + name + "' (SSL_CIPHERS) is not supported by OpenSSL"};
        }
        auto& list = is_modern ? modern : old;
        list += (list.empty() ? "" : ":") + name;
    }
    if (!modern.empty() && SSL_CTX_set_ciphersuites(context, modern.c_str()) != 1) {
        return tls_error("The TLS 1.3 ciphers (SSL_CIPHERS) cannot be used");
    }
    if (SSL_CTX_set_cipher_list(context, old.empty() ? strong_ciphers : old.c_str()) != 1) {
        return tls_error("The TLS ciphers (SSL_CIPHERS) cannot be used");
    }
    return {};
}

/// As loaded_tls::certificate.
std::string describe_certificate(const X509* certificate) {
    if (certificate == nullptr) return {};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
    std::string text = "SHA-256 ";
    for (unsigned i = 0; i < size; ++i) {
        text += lower_hex_digits[digest[i] >> 4];
        text += lower_hex_digits[digest[i] & 15];
    }
    std::tm end{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return text;
    std::array<char, 32> time{};
    const auto length = std::strftime(time.data(), time.size(), "%Y-%m-%dT%H:%M:%SZ", &end);
    return text + ", valid until " + std::string(time.data(), length);
}

}  // namespace

result<loaded_tls> load_tls(const tls_options& options) {
    ERR_clear_error();
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    if (!context) return tls_error("TLS cannot be set up");
    auto* const raw = context.get();
    SSL_CTX_set_min_proto_version(raw, options.only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    if (auto set = set_ciphers(raw, options.ciphers); !set) return std::move(set.error());
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    // A record's head and body come in one read. Buffers are released between records, which keeps idle
    // connections small.
    SSL_CTX_set_read_ahead(raw, 1);
    SSL_CTX_set_mode(
        raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    static constexpr std::string_view session_context = "gallery";
    SSL_CTX_set_session_id_context(raw, reinterpret_cast<const unsigned char*>(session_context.data()),
                                   session_context.size());
    SSL_CTX_set_alpn_select_cb(raw, &choose_protocol, nullptr);
    auto password = options.key_password;
    SSL_CTX_set_default_passwd_cb(raw, &give_password);
    SSL_CTX_set_default_passwd_cb_userdata(raw, &password);
    if (SSL_CTX_use_certificate_chain_file(raw, options.certificate_file.c_str()) != 1) {
        return tls_error("The certificate chain '" + options.certificate_file + "' cannot be used");
    }
    if (SSL_CTX_use_PrivateKey_file(raw, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        return key_error(options);
    }
    if (SSL_CTX_check_private_key(raw) != 1) {
        return tls_error("The private key '" + options.key_file + "' does not belong to the certificate '" +
                         options.certificate_file + "'");
    }
    SSL_CTX_set_default_passwd_cb_userdata(raw, nullptr);
    auto certificate = describe_certificate(SSL_CTX_get0_certificate(raw));
    return loaded_tls{std::move(context), std::move(certificate)};
}

tls_context::tls_context(loaded_tls loaded) {
    use(std::move(loaded));
}

void tls_context::use(loaded_tls loaded) {
    tickets_.protect(loaded.context.get());
    const lock_guard hold(lock_);
    current_ = std::move(loaded);
}

std::string tls_context::certificate() const {
    const lock_guard hold(lock_);
    return current_.certificate;
}

tls_connection tls_context::accept(int descriptor) {
    std::shared_ptr<SSL_CTX> context;
    {
        const lock_guard hold(lock_);
        context = current_.context;
    }
    tls_connection made(SSL_new(context.get()));  // holds a reference to the context itself
    auto out = make_gathering_bio();
    if (!made || !out || SSL_set_rfd(made.get(), descriptor) != 1) return nullptr;
    SSL_set0_wbio(made.get(), out.release());
    SSL_set_accept_state(made.get());
    return made;
}

}  // namespace gallery::http
