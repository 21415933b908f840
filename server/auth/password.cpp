// SPDX-License-Identifier: Apache-2.0
#include "auth/password.hpp"

#include "auth/random.hpp"

#include <gallery/encode.hpp>
#include <gallery/text.hpp>

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

namespace gallery::auth {
namespace {

constexpr std::size_t salt_size = 16;
constexpr std::size_t hash_size = 32;
/// Longer texts are no passwords; hashing them would only be work.
constexpr std::size_t max_tried_size = 1024;

struct scrypt_hash {
    password_cost cost;
    std::string salt;
    std::string hash;
};

std::string without_padding(std::string text) {
    while (text.ends_with('='))
        text.pop_back();
    return text;
}

std::string run_scrypt(std::string_view password, std::string_view salt, const password_cost& cost,
                       std::size_t size) {
    std::string out(size, '\0');
    const std::uint64_t n = std::uint64_t{1} << cost.log_n;
    const std::uint64_t memory = 128ULL * cost.r * (n + cost.p + 2) + (1ULL << 20);
    if (EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()),
                       salt.size(), n, cost.r, cost.p, memory, reinterpret_cast<unsigned char*>(out.data()),
                       out.size()) != 1) {
        return {};
    }
    return out;
}

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool take_number(std::string_view& text, std::uint32_t& out) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failed != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

std::optional<scrypt_hash> parse_scrypt(std::string_view text) {
    scrypt_hash out;
    if (!take(text, "$scrypt$ln=") || !take_number(text, out.cost.log_n) || !take(text, ",r=") ||
        !take_number(text, out.cost.r) || !take(text, ",p=") || !take_number(text, out.cost.p) ||
        !take(text, "$")) {
        return std::nullopt;
    }
    const auto middle = text.find('$');
    if (middle == std::string_view::npos) return std::nullopt;
    auto salt = base64_decode(text.substr(0, middle));
    auto hash = base64_decode(text.substr(middle + 1));
    if (!salt || !hash || hash->size() < 16 || hash->size() > 64) return std::nullopt;
    // At most 256 MiB per check, whatever a stored hash requires.
    if (out.cost.log_n < 1 || out.cost.log_n > 18 || out.cost.r < 1 || out.cost.r > 8 || out.cost.p < 1 ||
        out.cost.p > 4) {
        return std::nullopt;
    }
    out.salt = std::move(*salt);
    out.hash = std::move(*hash);
    return out;
}

bool is_bcrypt(std::string_view stored) {
    return stored.size() == 60 &&
           (stored.starts_with("$2a$") || stored.starts_with("$2b$") || stored.starts_with("$2y$"));
}

bool verify_bcrypt(const std::string& password, const std::string& stored) {
    // The cost is two digits of a power of two: 2^14 is already a second.
    if (stored.compare(4, 2, "14") > 0) return false;
    auto work = std::make_unique<crypt_data>();
    const char* const made = crypt_r(password.c_str(), stored.c_str(), work.get());
    const bool matches = made != nullptr && equal_in_constant_time(made, stored);
    OPENSSL_cleanse(work.get(), sizeof *work);
    return matches;
}

}  // namespace

std::string hash_password(std::string_view password, const password_cost& cost) {
    std::string salt(salt_size, '\0');
    fill_random(salt);
    const auto hash = run_scrypt(password, salt, cost, hash_size);
    if (hash.empty()) std::abort();  // no memory for it: never store a password without its hash
    return "$scrypt$ln=" + std::to_string(cost.log_n) + ",r=" + std::to_string(cost.r) +
           ",p=" + std::to_string(cost.p) + '$' + without_padding(base64_encode(salt)) + '$' +
           without_padding(base64_encode(hash));
}

bool verify_password(std::string_view password, std::string_view stored) {
    if (password.size() > max_tried_size) return false;
    if (is_bcrypt(stored)) {
        if (password.find('\0') != std::string_view::npos) return false;
        return verify_bcrypt(std::string(password), std::string(stored));
    }
    const auto parsed = parse_scrypt(stored);
    if (!parsed) return false;
    const auto made = run_scrypt(password, parsed->salt, parsed->cost, parsed->hash.size());
    return equal_in_constant_time(made, parsed->hash);
}

bool is_outdated_hash(std::string_view stored, const password_cost& cost) {
    const auto parsed = parse_scrypt(stored);
    return !parsed || parsed->cost != cost;
}

result<void> check_password_policy(std::string_view password) {
    if (!is_utf8(password)) return error{errc::invalid_argument, "The password is not well-formed UTF-8"};
    std::size_t characters = 0;
    for (const char c : password) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            return error{errc::invalid_argument, "The password contains a control character"};
        }
        if ((byte & 0xC0) != 0x80) ++characters;
    }
    if (characters < 6)
        return error{errc::invalid_argument, "Password must be 6 or more characters in length."};
    if (characters > 72)
        return error{errc::invalid_argument, "Password must be no more than 72 characters in length."};
    return {};
}

std::string generate_password() {
    return random_alphanumerics(20);
}

password_service::password_service(password_cost cost)
    : cost_(cost), dummy_(hash_password(random_alphanumerics(20), cost)), pool_(threads) {}

password_service::~password_service() {
    pool_.join();
}

task<result<std::string>> password_service::hash(std::string password, std::string who) {
    const auto held = co_await begin(std::move(who));
    if (!held) co_return held.error();
    auto work = [cost = cost_, password = std::move(password)] { return hash_password(password, cost); };
    co_return co_await offload(pool_, std::move(work));
}

task<password_service::verdict> password_service::verify(turns::turn /*held*/, std::string password,
                                                         std::string stored) {
    const bool known = !stored.empty();
    if (!known) stored = dummy_;
    auto work = [cost = cost_, known, password = std::move(password), stored = std::move(stored)] {
        verdict out;
        out.matches = verify_password(password, stored) && known;
        if (out.matches && is_outdated_hash(stored, cost)) out.better_hash = hash_password(password, cost);
        return out;
    };
    co_return co_await offload(pool_, std::move(work));
}

task<result<password_service::verdict>> password_service::verify(std::string password, std::string stored,
                                                                 std::string who) {
    auto held = co_await begin(std::move(who));
    if (!held) co_return held.error();
    co_return co_await verify(std::move(*held), std::move(password), std::move(stored));
}

}  // namespace gallery::auth
