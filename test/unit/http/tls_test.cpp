// SPDX-License-Identifier: Apache-2.0
// The same sessions through TLS, with a certificate made here.
#include "boost_test.hpp"
#include "support.hpp"

#include "http/errors.hpp"
#include "http/tls.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace gallery::http::test {

namespace {

struct certificate {
    std::filesystem::path folder;
    tls_options options;

    certificate() {
        char name[] = "/tmp/gallery-tls-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(name));
        folder = name;
        options.certificate_file = folder / "cert.pem";
        options.key_file = folder / "key.pem";
        write();
    }
    ~certificate() { std::filesystem::remove_all(folder); }

    void write() const {
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
        const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), &X509_free);
        X509_set_version(cert.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
        X509_set_pubkey(cert.get(), key.get());
        auto* const subject = X509_get_subject_name(cert.get());
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
        X509_set_issuer_name(cert.get(), subject);
        BOOST_REQUIRE(X509_sign(cert.get(), key.get(), EVP_sha256()) > 0);
        auto* out = std::fopen(options.certificate_file.c_str(), "w");
        PEM_write_X509(out, cert.get());
        std::fclose(out);
        out = std::fopen(options.key_file.c_str(), "w");
        PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(out);
    }

    /// The same key, with a password.
    void lock_key(std::string password) const {
        auto* file = std::fopen(options.key_file.c_str(), "r");
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
            PEM_read_PrivateKey(file, nullptr, nullptr, nullptr), &EVP_PKEY_free);
        std::fclose(file);
        BOOST_REQUIRE(key);
        file = std::fopen(options.key_file.c_str(), "w");
        PEM_write_PKCS8PrivateKey(file, key.get(), EVP_aes_128_cbc(), password.data(),
                                  static_cast<int>(password.size()), nullptr, nullptr);
        std::fclose(file);
    }
};

class tls_client {
public:
    /// @p ciphers: where it is not empty, TLS 1.2 with these alone.
    explicit tls_client(std::uint16_t port, const std::string& ciphers = "", SSL_SESSION* known = nullptr)
        : plain_(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
        if (!ciphers.empty()) {
            SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
            BOOST_REQUIRE(SSL_CTX_set_cipher_list(context_.get(), ciphers.c_str()) == 1);
        }
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), plain_.descriptor());
        if (known != nullptr) SSL_set_session(ssl_.get(), known);
        connected_ = SSL_connect(ssl_.get()) == 1;
    }
    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] SSL* raw() { return ssl_.get(); }
    void send(std::string_view text) {
        while (!text.empty()) {
            const int sent = SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
            if (sent <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// What one record brings.
    std::string read_some() {
        std::string block(65536, '\0');
        const int got = SSL_read(ssl_.get(), block.data(), static_cast<int>(block.size()));
        block.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return block;
    }
    /// Everything up to the end.
    std::string read_all() {
        std::string all;
        std::string block(65536, '\0');
        for (;;) {
            const int got = SSL_read(ssl_.get(), block.data(), static_cast<int>(block.size()));
            if (got <= 0) {
                clean_end_ = SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN;
                return all;
            }
            all.append(block, 0, static_cast<std::size_t>(got));
        }
    }
    [[nodiscard]] bool ended_cleanly() const { return clean_end_; }

private:
    client plain_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
    bool connected_ = false;
    bool clean_end_ = false;
};

void routes_for_tls(router& routes) {
    routes.add(method::get, "/secure", always([](request& message) {
                   return response::text(200, message.is_secure() ? "yes" : "no");
               }));
    routes.add(method::get, "/big", always([](request&) {
                   return response::bytes(200, "image/png", gallery::bytes::own(std::string(3'000'000, 'b')));
               }));
    auto* const file = std::tmpfile();
    for (int i = 0; i < 200'000; ++i)
        std::fputc('f', file);
    std::fflush(file);
    const auto opened = std::make_shared<const file_handle>(::dup(::fileno(file)));
    std::fclose(file);
    routes.add(method::get, "/file", always([opened](request&) {
                   return response::bytes(200, "image/png", file_region{opened, 0, 200'000});
               }));
    routes.add(method::post, "/echo",
               [](request& message) -> task<result<response>> {
                   auto content = co_await message.body().read_all(1 << 20);
                   if (!content) co_return content.error();
                   co_return response::text(200, std::move(*content));
               },
               {.name = "echo", .body_limit = 1 << 20});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tls)

BOOST_AUTO_TEST_CASE(requests_bodies_and_files_pass_through_tls) {
    const certificate made;
    running_server server(routes_for_tls, [&](server_options& options) { options.tls = made.options; });
    tls_client c(server.port());
    BOOST_REQUIRE(c.connected());
    const std::string body(300'000, 'e');
    c.send(get("/secure") + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n493E0\r\n" +
           body + "\r\n0\r\n\r\n" + get("/file") + get("/big", "Connection: close\r\n"));
    const auto all = c.read_all();
    BOOST_TEST(all.find("\r\n\r\nyes") != std::string::npos);
    BOOST_TEST(all.find(body) != std::string::npos);
    BOOST_TEST(all.find(std::string(200'000, 'f')) != std::string::npos);
    BOOST_TEST(all.find(std::string(3'000'000, 'b')) != std::string::npos);
    BOOST_TEST(c.ended_cleanly());
}

BOOST_AUTO_TEST_CASE(an_idle_tls_connection_rests_and_wakes) {
    const certificate made;
    running_server server(routes_for_tls, [&](server_options& options) {
        options.tls = made.options;
        options.manual_time = true;
    });
    tls_client c(server.port());
    BOOST_REQUIRE(c.connected());
    server.get().advance(std::chrono::seconds(10));
    c.send(get("/secure", "Connection: close\r\n"));
    BOOST_TEST(c.read_all().find("\r\n\r\nyes") != std::string::npos);
    tls_client quiet(server.port());
    client silent(server.port());  // never shakes hands
    BOOST_REQUIRE(quiet.connected());
    server.get().advance(std::chrono::seconds(30));
    BOOST_TEST(silent.at_end());
    server.get().advance(std::chrono::seconds(60));
    BOOST_TEST(quiet.read_all() == "");
    BOOST_TEST(server.get().connections() == 0U);
}

// OpenSSL has taken both from the socket, so the socket will not become readable again.
BOOST_AUTO_TEST_CASE(a_request_that_comes_with_the_end_of_the_handshake_is_answered) {
    const certificate made;
    running_server server(routes_for_tls, [&](server_options& options) { options.tls = made.options; });
    const client plain(server.port());
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                    &SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl.get());
    const auto send_all = [&] {
        std::string out(65536, '\0');
        const int size = BIO_read(SSL_get_wbio(ssl.get()), out.data(), static_cast<int>(out.size()));
        BOOST_REQUIRE(size > 0);
        BOOST_REQUIRE(::send(plain.descriptor(), out.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) ==
                      size);
    };
    const auto receive_some = [&] {
        std::string in(65536, '\0');
        const auto size = ::recv(plain.descriptor(), in.data(), in.size(), 0);
        BOOST_REQUIRE(size > 0);
        BIO_write(SSL_get_rbio(ssl.get()), in.data(), static_cast<int>(size));
    };
    BOOST_TEST(SSL_do_handshake(ssl.get()) != 1);
    send_all();
    while (SSL_do_handshake(ssl.get()) != 1)
        receive_some();
    const auto text = get("/secure");
    BOOST_REQUIRE(SSL_write(ssl.get(), text.data(), static_cast<int>(text.size())) > 0);
    send_all();  // the end of the handshake and the request, in one segment
    std::string answer(65536, '\0');
    int got = 0;
    while ((got = SSL_read(ssl.get(), answer.data(), static_cast<int>(answer.size()))) <= 0)
        receive_some();
    BOOST_TEST(answer.starts_with("HTTP/1.1 200"));
}

BOOST_AUTO_TEST_CASE(a_record_that_does_not_end_is_cut_off_as_a_head_is) {
    const certificate made;
    running_server server(routes_for_tls, [&](server_options& options) {
        options.tls = made.options;
        options.manual_time = true;
    });
    tls_client c(server.port());
    BOOST_REQUIRE(c.connected());
    c.send(get("/secure"));
    BOOST_TEST(c.read_some().find("200") != std::string::npos);
    const std::string begun("\x17\x03\x03\x00\x50\x01", 6);
    BOOST_REQUIRE(::send(SSL_get_fd(c.raw()), begun.data(), begun.size(), MSG_NOSIGNAL) == 6);
    for (int i = 0; i < 30 && server.get().connections() > 0; ++i)
        server.get().advance(std::chrono::seconds(2));
    BOOST_TEST(server.get().connections() == 0U);
    BOOST_TEST(c.read_all().find("408") != std::string::npos);
}

// OpenSSL has taken both from the socket with one record, so the socket will not become readable again.
BOOST_AUTO_TEST_CASE(a_request_behind_a_body_in_one_record_is_answered_on_a_crowded_thread) {
    const certificate made;
    running_server server(routes_for_tls, [&](server_options& options) { options.tls = made.options; });
    const std::string post =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n";
    const auto waits_for_its_body = [&] {
        auto one = std::make_unique<tls_client>(server.port());
        BOOST_REQUIRE(one->connected());
        one->send(post);
        BOOST_TEST(one->read_some().starts_with("HTTP/1.1 100 "));
        return one;
    };
    std::vector<std::unique_ptr<tls_client>> crowd;
    for (int i = 0; i < 140; ++i)
        crowd.push_back(waits_for_its_body());
    const auto c = waits_for_its_body();
    c->send("b" + get("/secure", "Connection: close\r\n"));
    const auto all = c->read_all();
    BOOST_TEST(all.find("\r\n\r\nb") != std::string::npos);
    BOOST_TEST(all.find("\r\n\r\nyes") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(plain_text_on_the_tls_port_ends_the_connection_only) {
    const certificate made;
    running_server server(routes_for_tls, [&](server_options& options) { options.tls = made.options; });
    client plain(server.port());
    plain.send(get("/secure"));
    plain.read_all();
    tls_client c(server.port());
    BOOST_TEST(c.connected());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_files_is_said) {
    const certificate files;
    const auto refusal = [](const tls_options& options) {
        const auto made = load_tls(options);
        BOOST_REQUIRE(made.has_error());
        return made.error().message;
    };
    const auto expect = [](const std::string& text, const std::vector<std::string>& words) {
        for (const auto& word : words)
            BOOST_TEST(text.find(word) != std::string::npos, text << " lacks " << word);
    };
    auto options = files.options;
    options.certificate_file = files.folder / "nowhere.pem";
    expect(refusal(options), {"nowhere.pem", "No such file or directory"});
    options = files.options;
    options.key_file = files.folder / "nowhere.pem";
    expect(refusal(options), {"nowhere.pem", "No such file or directory"});
    options.key_file = files.options.certificate_file;
    const auto no_key = refusal(options);
    expect(no_key, {files.options.certificate_file});
    BOOST_TEST(no_key.find("PASSWORD") == std::string::npos, no_key);

    const certificate other;
    options.key_file = other.options.key_file;
    expect(refusal(options), {other.options.key_file, "mismatch"});

    options = files.options;
    files.lock_key("sesame");
    expect(refusal(options), {options.key_file, "It is encrypted: set SSL_PEM_KEY_PASSWORD"});
    options.key_password = "simsim";
    const auto wrong = refusal(options);
    expect(wrong, {options.key_file, "It is encrypted: check SSL_PEM_KEY_PASSWORD"});
    BOOST_TEST(wrong.find("simsim") == std::string::npos);
    options.key_password = "sesame";
    BOOST_TEST(load_tls(options).has_value());
}

BOOST_AUTO_TEST_CASE(a_new_certificate_is_used_after_reload_and_a_broken_one_is_refused) {
    const certificate made;
    running_server server(routes_for_tls, [&](server_options& options) { options.tls = made.options; });
    const auto print = [&] {
        tls_client c(server.port());
        const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(c.raw()),
                                                               &X509_free);
        BOOST_REQUIRE(peer);
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        X509_digest(peer.get(), EVP_sha256(), digest, &size);
        return std::string(reinterpret_cast<const char*>(digest), size);
    };
    const auto before = print();
    const auto described = server.get().certificate();
    BOOST_TEST(described.starts_with("SHA-256 "), described);
    BOOST_TEST(described.find(", valid until 2") != std::string::npos, described);
    tls_client open(server.port());
    made.write();
    server.get().use_tls(load_tls(made.options).value());
    const auto after = print();
    BOOST_TEST((before != after));
    BOOST_TEST((server.get().certificate() != described));
    // A connection that is open goes on.
    open.send(get("/echo"));
    BOOST_TEST(open.read_some().starts_with("HTTP/1.1 405"));
    std::filesystem::resize_file(made.options.key_file, 10);
    const auto refused = load_tls(made.options);
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().message.find(made.options.key_file) != std::string::npos);
    BOOST_TEST((print() == after));

    server_options missing;
    missing.tls = tls_options{"/nonexistent/cert.pem", "/nonexistent/key.pem", ""};
    const auto none = server::create(missing);
    BOOST_REQUIRE(!none);
    BOOST_TEST(none.error().message.find("/nonexistent/cert.pem") != std::string::npos);
}

using session_ptr = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

/// What a client remembers of a connection that has got an answer.
session_ptr session_with(std::uint16_t port, const std::string& ciphers = "") {
    tls_client c(port, ciphers);
    BOOST_REQUIRE(c.connected());
    c.send(get("/secure", "Connection: close\r\n"));
    c.read_all();           // TLS 1.3 sends tickets after the handshake
    SSL_shutdown(c.raw());  // without it, OpenSSL does not use the session again
    return {SSL_get1_session(c.raw()), &SSL_SESSION_free};
}

bool is_resumed(std::uint16_t port, SSL_SESSION* known, const std::string& ciphers = "") {
    tls_client c(port, ciphers, known);
    BOOST_REQUIRE(c.connected());
    c.send(get("/secure", "Connection: close\r\n"));
    BOOST_TEST(c.read_all().find("\r\n\r\nyes") != std::string::npos);
    SSL_shutdown(c.raw());
    return SSL_session_reused(c.raw()) == 1;
}

BOOST_AUTO_TEST_CASE(a_session_goes_on_at_each_server_with_the_same_secret_and_after_reload) {
    const certificate made;
    const auto with_tls = [&](server_options& options) { options.tls = made.options; };
    running_server one(routes_for_tls, with_tls, "a secret of both");
    running_server two(routes_for_tls, with_tls, "a secret of both");
    running_server stranger(routes_for_tls, with_tls, "another secret");
    running_server alone(routes_for_tls, with_tls);
    const auto known = session_with(one.port());
    BOOST_TEST(is_resumed(one.port(), known.get()));
    BOOST_TEST(is_resumed(two.port(), known.get()));
    BOOST_TEST(!is_resumed(stranger.port(), known.get()));
    BOOST_TEST(!is_resumed(alone.port(), known.get()));
    one.get().use_tls(load_tls(made.options).value());
    BOOST_TEST(is_resumed(one.port(), known.get()));
}

// Its ticket contains the key of the session.
BOOST_AUTO_TEST_CASE(a_session_of_tls_1_2_goes_on_at_its_own_server_only) {
    const certificate made;
    const auto with_tls = [&](server_options& options) { options.tls = made.options; };
    running_server one(routes_for_tls, with_tls, "a secret of both");
    running_server two(routes_for_tls, with_tls, "a secret of both");
    const std::string old = "ECDHE-ECDSA-AES128-GCM-SHA256";
    const auto known = session_with(one.port(), old);
    BOOST_TEST(is_resumed(one.port(), known.get(), old));
    one.get().use_tls(load_tls(made.options).value());
    BOOST_TEST(is_resumed(one.port(), known.get(), old));
    BOOST_TEST(!is_resumed(two.port(), known.get(), old));
}

// A change of keys makes OpenSSL answer with a record of its own (RFC 8446, 4.6.3).
BOOST_AUTO_TEST_CASE(a_client_may_change_its_keys_and_ask_for_a_change_of_ours) {
    const certificate made;
    running_server server(routes_for_tls, [&](server_options& options) { options.tls = made.options; });
    tls_client c(server.port());
    BOOST_REQUIRE(c.connected());
    c.send(get("/secure"));
    BOOST_TEST(c.read_some().find("200") != std::string::npos);
    BOOST_REQUIRE(SSL_key_update(c.raw(), SSL_KEY_UPDATE_REQUESTED) == 1);
    c.send(get("/secure") + get("/big", "Connection: close\r\n"));
    const auto all = c.read_all();
    BOOST_TEST(all.find("yes") != std::string::npos);
    BOOST_TEST(all.find(std::string(3'000'000, 'b')) != std::string::npos);
    BOOST_TEST(c.ended_cleanly());
}

// The kernel takes a part of what is encrypted, and the rest later.
BOOST_AUTO_TEST_CASE(a_slow_reader_gets_each_byte_once) {
    const certificate made;
    running_server server(routes_for_tls, [&](server_options& options) { options.tls = made.options; });
    tls_client c(server.port());
    BOOST_REQUIRE(c.connected());
    constexpr int requests = 8;  // more than the kernel's buffers hold
    std::string all;
    for (int i = 1; i < requests; ++i)
        all += get("/big");
    c.send(all + get("/file", "Connection: close\r\n"));
    const auto answers = c.read_all();
    BOOST_TEST(std::count(answers.begin(), answers.end(), 'b') >= (requests - 1) * 3'000'000);
    BOOST_TEST(answers.ends_with(std::string(200'000, 'f')));
    std::size_t heads = 0;
    for (auto at = answers.find("HTTP/1.1 200 OK"); at != std::string::npos;
         at = answers.find("HTTP/1.1 200 OK", at + 1))
        ++heads;
    BOOST_TEST(heads == static_cast<std::size_t>(requests));
    BOOST_TEST(c.ended_cleanly());
}

BOOST_AUTO_TEST_CASE(tls_1_2_has_only_suites_with_forward_secrecy_and_authenticated_encryption) {
    const certificate made;
    const auto with = [&made](std::string ciphers, bool only_1_3) {
        return [&made, ciphers, only_1_3](server_options& options) {
            options.tls = made.options;
            options.tls->ciphers = ciphers;
            options.tls->only_1_3 = only_1_3;
        };
    };
    running_server server(routes_for_tls, with("", false));
    for (const std::string strong : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                                     "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
        BOOST_TEST(tls_client(server.port(), strong).connected(), strong);
    }
    // All that OpenSSL has for this certificate, but for those above: CBC, CCM, SHA-1, no forward secrecy.
    const std::string weak =
        "ALL:!ECDHE-ECDSA-AES128-GCM-SHA256:!ECDHE-ECDSA-AES256-GCM-SHA384:"
        "!ECDHE-ECDSA-CHACHA20-POLY1305:@SECLEVEL=0";
    BOOST_TEST(!tls_client(server.port(), weak).connected());
    BOOST_TEST(tls_client(server.port()).connected());

    running_server chosen(routes_for_tls, with("ECDHE-ECDSA-AES128-SHA:TLS_AES_128_GCM_SHA256", false));
    BOOST_TEST(tls_client(chosen.port(), weak).connected());
    BOOST_TEST(!tls_client(chosen.port(), "ECDHE-ECDSA-AES128-GCM-SHA256").connected());
    tls_client modern(chosen.port());
    BOOST_REQUIRE(modern.connected());
    BOOST_TEST(std::string(SSL_get_cipher_name(modern.raw())) == "TLS_AES_128_GCM_SHA256");

    running_server newest(routes_for_tls, with("", true));
    BOOST_TEST(!tls_client(newest.port(), "ECDHE-ECDSA-AES128-GCM-SHA256").connected());
    BOOST_TEST(tls_client(newest.port()).connected());

    for (const std::string wrong : {"NONSENSE", "ECDHE-ECDSA-AES128-GCM-SHA256:NONSENSE", "TLS_NONSENSE"}) {
        server_options options;
        with(wrong, false)(options);
        const auto refused = server::create(options);
        BOOST_REQUIRE(!refused);
        BOOST_TEST(refused.error().message.find("NONSENSE") != std::string::npos);
        BOOST_TEST(refused.error().message.find("SSL_CIPHERS") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(https_alone_is_demanded_over_https_only) {
    const certificate made;
    const auto ask = [](running_server& server) {
        tls_client c(server.port());
        c.send("GET /secure HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        return c.read_all();
    };
    const std::string line = "\r\nStrict-Transport-Security: max-age=31536000\r\n";
    running_server strict(routes_for_tls, [&](server_options& options) {
        options.tls = made.options;
        options.hsts_max_age = std::chrono::hours(365 * 24);
    });
    BOOST_TEST(ask(strict).find(line) != std::string::npos);
    running_server silent(routes_for_tls, [&](server_options& options) { options.tls = made.options; });
    const auto plain = ask(silent);
    BOOST_TEST(plain.find("200 OK") != std::string::npos);
    BOOST_TEST(plain.find("Strict-Transport-Security") == std::string::npos);

    running_server behind(routes_for_tls, [](server_options& options) {
        options.hsts_max_age = std::chrono::hours(365 * 24);
        options.front.trusted = [](const boost::asio::ip::address& peer) { return peer.is_loopback(); };
    });
    client proxy(behind.port());
    BOOST_TEST(proxy.ask(get("/secure")).count("Strict-Transport-Security") == 0U);
    BOOST_TEST(
        proxy.ask(get("/secure", "X-Forwarded-Proto: https\r\n")).header("Strict-Transport-Security") ==
        "max-age=31536000");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
