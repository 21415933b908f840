// SPDX-License-Identifier: Apache-2.0
#include "http/client_tls.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <array>
#include <new>

namespace gallery::http {

namespace {

bool is_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    return ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

}  // namespace

client_context make_client_context(const std::string& ca_file) {
    client_context out(SSL_CTX_new(TLS_client_method()));
    if (!out) throw std::bad_alloc();
    if (ca_file.empty()) {
        SSL_CTX_set_default_verify_paths(out.get());
    } else {
        ERR_clear_error();
        if (SSL_CTX_load_verify_locations(out.get(), ca_file.c_str(), nullptr) != 1) return nullptr;
    }
    SSL_CTX_set_verify(out.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_min_proto_version(out.get(), TLS1_2_VERSION);
    return out;
}

bool expect_host(SSL* connection, const std::string& host) {
    if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
    std::string name = host;
    // SSL_set_tlsext_host_name() is a macro with an old-style cast.
    return SSL_set1_host(connection, name.c_str()) == 1 &&
           SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

}  // namespace gallery::http
