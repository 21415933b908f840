// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE "auth"
#include "auth/jwt.hpp"
#include "boost_test.hpp"
#include "thingsboard_token.hpp"

#include <gallery/encode.hpp>

#include <string>
#include <thread>
#include <vector>

namespace {

using namespace gallery;
using namespace gallery::auth;

constexpr std::int64_t start = 1'700'000'000;

std::chrono::system_clock::time_point at(std::int64_t seconds) {
    return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
}

token_claims some_claims() {
    token_claims claims;
    claims.email = "a@b.example";
    claims.user.value = random_uuid();
    claims.session = "s";
    claims.issued_at = start;
    claims.expires_at = start + 9000;
    claims.role = authority::customer_user;
    claims.first_name = "Zoë \"Q\"";
    claims.tenant.value = random_uuid();
    claims.customer = customer_id{random_uuid()};
    return claims;
}

std::string with_header(const token_codec& codec, const std::string& header, const std::string& token) {
    const auto rest = token.substr(token.find('.'), token.rfind('.') - token.find('.'));
    const auto text = base64url_encode(header) + rest;
    return text + '.' + base64url_encode(codec.mac(text));
}

std::string with_claims(const token_codec& codec, const std::string& claims) {
    const auto text = base64url_encode(R"({"alg":"HS512"})") + '.' + base64url_encode(claims);
    return text + '.' + base64url_encode(codec.mac(text));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tokens)

BOOST_AUTO_TEST_CASE(what_is_signed_is_read_back) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const auto claims = some_claims();
    const auto read = codec.verify(codec.sign(claims), at(start));
    BOOST_REQUIRE(read);
    BOOST_TEST(read->email == claims.email);
    BOOST_TEST((read->user == claims.user));
    BOOST_TEST((read->tenant == claims.tenant));
    BOOST_TEST((read->customer == claims.customer));
    BOOST_TEST((read->role == claims.role));
    BOOST_TEST((read->kind == token_kind::access));
    BOOST_TEST(read->first_name == claims.first_name);
    BOOST_TEST(read->session == "s");
    BOOST_TEST(read->issued_at == claims.issued_at);
    BOOST_TEST(read->expires_at == claims.expires_at);
}

BOOST_AUTO_TEST_CASE(a_thingsboard_servers_token_is_read) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const auto read = codec.verify(gallery::test::thingsboard_token, at(start));
    BOOST_REQUIRE(read);
    BOOST_TEST(read->email == "tenant@thingsboard.org");
    BOOST_TEST((read->role == authority::tenant_admin));
    BOOST_TEST(to_string(read->tenant) == "5e000000-1111-11ee-8a3c-0123456789ab");
    BOOST_TEST(!read->customer.has_value());  // ThingsBoard writes its null id
    BOOST_TEST(read->first_name == "Ada");
    BOOST_TEST(read->last_name.empty());
}

BOOST_AUTO_TEST_CASE(a_token_proves_nothing_from_the_second_of_its_expiry) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const auto token = codec.sign(some_claims());
    BOOST_TEST(codec.verify(token, at(start + 8999)).has_value());
    const auto late = codec.verify(token, at(start + 9000));
    BOOST_REQUIRE(!late);
    BOOST_TEST((late.error().code == errc::token_expired));
    BOOST_TEST(late.error().message == "Token has expired");
}

BOOST_AUTO_TEST_CASE(every_single_changed_character_is_noticed) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const auto token = codec.sign(some_claims());
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto forged = token;
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        const auto read = codec.verify(forged, at(start));
        BOOST_TEST(!read.has_value(), "position " << i);
        if (!read) BOOST_TEST((read.error().code == errc::unauthenticated));
    }
}

BOOST_AUTO_TEST_CASE(another_key_or_issuer_is_refused) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const token_codec other_key(std::string(64, 'x'), "thingsboard.io");
    const token_codec other_issuer(std::string(64, 'k'), "example.org");
    const auto token = codec.sign(some_claims());
    BOOST_TEST(!other_key.verify(token, at(start)).has_value());
    BOOST_TEST(!other_issuer.verify(token, at(start)).has_value());
    // One thread's prepared key does not outlive its codec's turn.
    BOOST_TEST(codec.verify(token, at(start)).has_value());
}

BOOST_AUTO_TEST_CASE(only_hs512_is_accepted_even_with_a_good_signature) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const auto token = codec.sign(some_claims());
    BOOST_TEST(
        codec.verify(with_header(codec, R"({"typ":"JWT","alg":"HS512"})", token), at(start)).has_value());
    for (const std::string header :
         {R"({"alg":"none"})", R"({"alg":"HS256"})", R"({"alg":"hs512"})", R"({"alg":["HS512"]})", "{}", "[]",
          "x", "", R"({"alg":"HS512","crit":["b64"],"b64":false})"}) {
        BOOST_TEST(!codec.verify(with_header(codec, header, token), at(start)).has_value(), header);
    }
    const auto unsigned_one = base64url_encode(R"({"alg":"none"})") +
                              token.substr(token.find('.'), token.rfind('.') - token.find('.')) + '.';
    BOOST_TEST(!codec.verify(unsigned_one, at(start)).has_value());
}

BOOST_AUTO_TEST_CASE(claims_that_are_not_what_they_should_be_are_refused) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const std::string user = R"("userId":"5f7a1b60-1111-11ee-8a3c-0123456789ab",)";
    const std::string tenant = R"("tenantId":"5e000000-1111-11ee-8a3c-0123456789ab",)";
    const std::string rest = R"("sub":"a","iss":"thingsboard.io","iat":1700000000,"exp":1700009000)";
    const std::string role = R"("scopes":["TENANT_ADMIN"],)";
    BOOST_TEST(
        codec.verify(with_claims(codec, '{' + user + tenant + role + rest + '}'), at(start)).has_value());
    for (const auto& claims : std::vector<std::string>{
             "", "null", "[]", "{}", '{' + tenant + role + rest + '}', '{' + user + role + rest + '}',
             '{' + user + tenant + rest + '}', '{' + user + tenant + R"("scopes":[],)" + rest + '}',
             '{' + user + tenant + R"("scopes":[["TENANT_ADMIN"]],)" + rest + '}',
             '{' + user + tenant + R"("scopes":["X","TENANT_ADMIN"],)" + rest + '}',
             '{' + user + R"("tenantId":"","scopes":["CUSTOMER_USER"],)" + rest + '}',
             '{' + user + R"("tenantId":"x","scopes":["SYS_ADMIN"],)" + rest + '}',
             '{' + user + tenant + R"("scopes":["PRE_VERIFICATION_TOKEN"],)" + rest + '}',
             '{' + user + tenant + R"("scopes":"TENANT_ADMIN",)" + rest + '}',
             '{' + user + tenant + R"("scopes":["REFRESH_TOKEN"],)" + rest + '}',  // no jti
             '{' + user + tenant + role + R"("sub":"a","iss":"thingsboard.io","iat":1700000000})",
             '{' + user + tenant + role + R"("sub":"a","iss":"thingsboard.io","iat":1,"exp":"1700009000"})",
             '{' + user + tenant + role + rest + R"(,"enabled":"yes"})",
             '{' + user + tenant + role + rest + R"(,"customerId":"x"})"}) {
        BOOST_TEST(!codec.verify(with_claims(codec, claims), at(start)).has_value(), claims);
    }
}

BOOST_AUTO_TEST_CASE(of_several_scopes_the_first_counts) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const std::string claims = R"({"userId":"5f7a1b60-1111-11ee-8a3c-0123456789ab","sub":"a","jti":"j",)"
                               R"("tenantId":"5e000000-1111-11ee-8a3c-0123456789ab","iss":"thingsboard.io",)"
                               R"("iat":1700000000,"exp":1700009000,"scopes":)";
    const auto read = [&](const std::string& scopes) {
        return codec.verify(with_claims(codec, claims + scopes + '}'), at(start)).value();
    };
    BOOST_TEST((read(R"(["TENANT_ADMIN","SYS_ADMIN"])").role == authority::tenant_admin));
    BOOST_TEST((read(R"(["CUSTOMER_USER","TENANT_ADMIN"])").role == authority::customer_user));
    BOOST_TEST((read(R"(["TENANT_ADMIN","REFRESH_TOKEN"])").kind == token_kind::access));
    BOOST_TEST((read(R"(["REFRESH_TOKEN","TENANT_ADMIN"])").kind == token_kind::refresh));
}

BOOST_AUTO_TEST_CASE(a_system_administrators_token_needs_no_tenant) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const std::string claims = R"({"userId":"5f7a1b60-1111-11ee-8a3c-0123456789ab","sub":"a",)"
                               R"("iss":"thingsboard.io","iat":1700000000,"exp":1700009000,)"
                               R"("scopes":["SYS_ADMIN"])";
    for (const auto* tenant : {"", R"(,"tenantId":null)", R"(,"tenantId":"")"})
        BOOST_TEST((codec.verify(with_claims(codec, claims + tenant + '}'), at(start)).value().tenant ==
                    system_tenant),
                   tenant);
}

BOOST_AUTO_TEST_CASE(a_token_is_refused_until_shortly_before_its_nbf) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const auto with_nbf = [&codec](const std::string& nbf, const std::string& scope) {
        return with_claims(codec,
                           R"({"userId":"5f7a1b60-1111-11ee-8a3c-0123456789ab","sub":"a","jti":"j",)"
                           R"("tenantId":"5e000000-1111-11ee-8a3c-0123456789ab","iss":"thingsboard.io",)"
                           R"("iat":1700000000,"exp":1700009000,"scopes":[")" +
                               scope + R"("],"nbf":)" + nbf + '}');
    };
    const auto leeway = clock_leeway.count();
    for (const std::string scope : {"TENANT_ADMIN", "REFRESH_TOKEN"}) {
        const auto later = with_nbf(std::to_string(start + 1000), scope);
        BOOST_TEST(codec.verify(later, at(start + 1000)).has_value());
        BOOST_TEST(codec.verify(later, at(start + 1000 - leeway)).has_value());
        const auto early = codec.verify(later, at(start + 1000 - leeway - 1));
        BOOST_REQUIRE(!early);
        BOOST_TEST((early.error().code == errc::unauthenticated));
        BOOST_TEST(early.error().message.find("not valid yet") != std::string::npos);
        for (const std::string past : {"0", "0.0", "-5", "1700000000", "1700000000.75", "null"})
            BOOST_TEST(codec.verify(with_nbf(past, scope), at(start)).has_value(), past);
        for (const std::string wrong :
             {"\"1700000000\"", "true", "[]", "1e300", "9223372036854775807", "18446744073709551615"})
            BOOST_TEST(!codec.verify(with_nbf(wrong, scope), at(start)).has_value(), wrong);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_token_is_refused) {
    const token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const auto token = codec.sign(some_claims());
    for (const auto& text :
         std::vector<std::string>{"", ".", "..", "...", "a.b", token + ".", token + "=", token + " ",
                                  "." + token, std::string(9000, 'a'), std::string(100, '.')}) {
        const auto read = codec.verify(text, at(start));
        BOOST_REQUIRE(!read);
        BOOST_TEST((read.error().code == errc::unauthenticated));
    }
}

BOOST_AUTO_TEST_CASE(threads_sign_and_verify_at_once) {
    const token_codec first(std::string(64, 'k'), "thingsboard.io");
    const token_codec second(std::string(64, 'q'), "thingsboard.io");
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                const auto token = (i % 2 == 0 ? first : second).sign(some_claims());
                if (first.verify(token, at(start)).has_value() != (i % 2 == 0)) ++wrong;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(wrong.load() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
