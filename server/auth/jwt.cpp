// SPDX-License-Identifier: Apache-2.0
#include "auth/jwt.hpp"

#include "auth/random.hpp"

#include <gallery/encode.hpp>

#include <boost/json.hpp>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <utility>

namespace gallery::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t mac_size = 64;
using mac_bytes = std::array<char, mac_size>;

struct context_deleter {
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
using context_ptr = std::unique_ptr<EVP_MAC_CTX, context_deleter>;

context_ptr make_context(std::string_view key) {
    struct mac_deleter {
        void operator()(EVP_MAC* mac) const noexcept { EVP_MAC_free(mac); }
    };
    const std::unique_ptr<EVP_MAC, mac_deleter> algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    context_ptr context(algorithm ? EVP_MAC_CTX_new(algorithm.get()) : nullptr);
    std::string digest = "SHA512";
    const std::array<OSSL_PARAM, 2> params{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    if (!context || EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(key.data()),
                                 key.size(), params.data()) != 1) {
        std::abort();  // without HMAC-SHA-512 nobody can be recognised
    }
    return context;
}

/// The keyed state is prepared once per thread; restarting from it costs a fifth of a new key setup.
void compute_mac(std::uint64_t serial, std::string_view key, std::string_view text, mac_bytes& out) {
    struct state {
        std::uint64_t serial = 0;
        context_ptr context;
    };
    thread_local state mine;
    if (mine.serial != serial) {
        mine.context = make_context(key);
        mine.serial = serial;
    } else if (EVP_MAC_init(mine.context.get(), nullptr, 0, nullptr) != 1) {
        std::abort();
    }
    std::size_t size = 0;
    if (EVP_MAC_update(mine.context.get(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size()) != 1 ||
        EVP_MAC_final(mine.context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, out.size()) !=
            1 ||
        size != out.size()) {
        std::abort();
    }
}

error malformed() {
    return {errc::unauthenticated, "Invalid JWT token: log in again"};
}

const std::string& header_part() {
    static const std::string part = base64url_encode(R"({"alg":"HS512"})");
    return part;
}

/// RFC 7515 section 4: the algorithm must be the one we use, and "crit" names extensions, of which we know
/// none.
bool is_acceptable_header(std::string_view encoded) {
    if (encoded == header_part()) return true;
    const auto text = base64url_decode(encoded);
    if (!text) return false;
    boost::system::error_code failed;
    const auto value = json::parse(*text, failed);
    if (failed || !value.is_object()) return false;
    const auto& header = value.get_object();
    const auto* algorithm = header.if_contains("alg");
    return algorithm != nullptr && algorithm->is_string() && algorithm->get_string() == "HS512" &&
           header.if_contains("crit") == nullptr;
}

std::optional<std::string> text_of(const json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    if (value == nullptr || value->is_null()) return std::string();
    if (!value->is_string()) return std::nullopt;
    return std::string(value->get_string());
}

std::optional<std::int64_t> time_of(const json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_int64()) return value->get_int64();
    if (value->is_double() && value->get_double() >= 0 && value->get_double() < 1e12) {
        return static_cast<std::int64_t>(value->get_double());  // RFC 7519 allows fractions
    }
    return std::nullopt;
}

/// The latest expiry that is told apart, in the year 11476: a later one would overflow in milliseconds.
constexpr std::int64_t last_second = 300'000'000'000;

/// False where the claim is absent; no value where it is not a boolean.
std::optional<bool> flag_of(const json::object& claims, std::string_view name, bool otherwise) {
    const auto* value = claims.if_contains(name);
    if (value == nullptr || value->is_null()) return otherwise;
    if (!value->is_bool()) return std::nullopt;
    return value->get_bool();
}

/// The first scope of a token decides what kind it is, as in ThingsBoard, which writes one. Tokens that stand
/// for a half-finished login (PRE_VERIFICATION_TOKEN and the like) are none of these and are refused.
bool read_scope(const json::object& claims, token_claims& out) {
    const auto* scopes = claims.if_contains("scopes");
    if (scopes == nullptr || !scopes->is_array() || scopes->get_array().empty()) return false;
    const auto& scope = scopes->get_array()[0];
    if (!scope.is_string()) return false;
    if (scope.get_string() == "REFRESH_TOKEN") {
        out.kind = token_kind::refresh;
        return true;
    }
    const auto role = parse_authority(scope.get_string());
    if (!role) return false;
    out.role = *role;
    return true;
}

/// 0 where the claim is absent; no value where it is not a time.
std::optional<std::int64_t> not_before(const json::object& claims) {
    const auto* value = claims.if_contains("nbf");
    if (value == nullptr || value->is_null()) return 0;
    return time_of(claims, "nbf");
}

std::optional<token_claims> read_claims(const json::object& claims) {
    token_claims out;
    if (!read_scope(claims, out)) return std::nullopt;
    auto email = text_of(claims, "sub");
    auto session = text_of(claims, "sessionId");
    const auto user = text_of(claims, "userId");
    const auto user_value = user ? parse_uuid(*user) : std::nullopt;
    const auto issued_at = time_of(claims, "iat");
    const auto expires_at = time_of(claims, "exp");
    const auto is_public = flag_of(claims, "isPublic", false);
    if (!email || email->empty() || !session || !user_value || !issued_at || !expires_at || !is_public) {
        return std::nullopt;
    }
    out.email = std::move(*email);
    out.session = std::move(*session);
    out.user.value = *user_value;
    out.issued_at = *issued_at;
    out.expires_at = std::min(*expires_at, last_second);
    out.is_public = *is_public;
    if (out.kind == token_kind::refresh) {
        auto id = text_of(claims, "jti");
        if (!id || id->empty()) return std::nullopt;
        out.id = std::move(*id);
        return out;
    }
    auto first_name = text_of(claims, "firstName");
    auto last_name = text_of(claims, "lastName");
    const auto enabled = flag_of(claims, "enabled", true);
    const auto tenant = text_of(claims, "tenantId");
    auto tenant_value = tenant ? parse_uuid(*tenant) : std::nullopt;
    // Only a system administrator's token may lack it.
    if (tenant && tenant->empty() && out.role == authority::sys_admin) tenant_value = system_tenant.value;
    const auto customer = text_of(claims, "customerId");
    if (!first_name || !last_name || !enabled || !tenant_value || !customer) return std::nullopt;
    out.first_name = std::move(*first_name);
    out.last_name = std::move(*last_name);
    out.enabled = *enabled;
    out.tenant.value = *tenant_value;
    if (!customer->empty()) {
        const auto value = parse_uuid(*customer);
        if (!value) return std::nullopt;
        if (*value != system_tenant.value) out.customer = customer_id{*value};
    }
    return out;
}

}  // namespace

token_codec::token_codec(std::string key, std::string issuer)
    : key_(std::move(key)), issuer_(std::move(issuer)) {
    static std::atomic<std::uint64_t> codecs{0};
    serial_ = ++codecs;
}

token_codec::~token_codec() {
    OPENSSL_cleanse(key_.data(), key_.size());
}

std::string token_codec::sign(const token_claims& claims) const {
    json::object payload;
    payload["sub"] = claims.email;
    payload["userId"] = to_string(claims.user);
    if (claims.kind == token_kind::refresh) {
        payload["scopes"] = json::array{"REFRESH_TOKEN"};
    } else {
        payload["scopes"] = json::array{name_of(claims.role)};
    }
    payload["sessionId"] = claims.session;
    payload["iss"] = issuer_;
    payload["iat"] = claims.issued_at;
    payload["exp"] = claims.expires_at;
    if (claims.kind == token_kind::refresh) {
        payload["isPublic"] = claims.is_public;
        payload["jti"] = claims.id;
    } else {
        if (!claims.first_name.empty()) payload["firstName"] = claims.first_name;
        if (!claims.last_name.empty()) payload["lastName"] = claims.last_name;
        payload["enabled"] = claims.enabled;
        payload["isPublic"] = claims.is_public;
        payload["tenantId"] = to_string(claims.tenant);
        payload["customerId"] = to_string(claims.customer ? claims.customer->value : system_tenant.value);
    }
    std::string token = header_part() + '.' + base64url_encode(json::serialize(payload));
    mac_bytes signature;
    compute_mac(serial_, key_, token, signature);
    token += '.';
    token += base64url_encode({signature.data(), signature.size()});
    return token;
}

result<token_claims> token_codec::verify(std::string_view token,
                                         std::chrono::system_clock::time_point now) const {
    if (token.size() > max_token_size) return malformed();
    const auto first = token.find('.');
    if (first == std::string_view::npos) return malformed();
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos) return malformed();
    const auto signature = base64url_decode(token.substr(second + 1));
    if (!signature || signature->size() != mac_size || !is_acceptable_header(token.substr(0, first))) {
        return malformed();
    }
    mac_bytes expected;
    compute_mac(serial_, key_, token.substr(0, second), expected);
    if (!equal_in_constant_time(*signature, {expected.data(), expected.size()})) return malformed();

    const auto text = base64url_decode(token.substr(first + 1, second - first - 1));
    if (!text) return malformed();
    std::array<unsigned char, 4096> arena;
    json::monotonic_resource memory(arena.data(), arena.size());
    boost::system::error_code failed;
    const auto value = json::parse(*text, failed, &memory);
    if (failed || !value.is_object()) return malformed();
    const auto issuer = text_of(value.get_object(), "iss");
    if (!issuer || *issuer != issuer_) return malformed();
    auto claims = read_claims(value.get_object());
    if (!claims) return malformed();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (claims->expires_at <= seconds) return error{errc::token_expired, "Token has expired"};
    const auto begins = not_before(value.get_object());
    if (!begins) return malformed();
    if (*begins > seconds + clock_leeway.count()) {
        return error{errc::unauthenticated,
                     "Invalid JWT token: it is not valid yet. Check the clock of the server that issued it"};
    }
    return std::move(*claims);
}

std::string token_codec::mac(std::string_view text) const {
    mac_bytes value;
    compute_mac(serial_, key_, text, value);
    return {value.data(), value.size()};
}

}  // namespace gallery::auth
