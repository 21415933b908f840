// SPDX-License-Identifier: Apache-2.0
#include "auth/signing_key.hpp"

#include "auth/random.hpp"

#include <gallery/encode.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace gallery::auth {
namespace {

class descriptor {
public:
    explicit descriptor(int value) noexcept : value_(value) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    [[nodiscard]] int get() const noexcept { return value_; }
    explicit operator bool() const noexcept { return value_ >= 0; }

private:
    int value_;
};

error failure(const std::string& what, const std::filesystem::path& file) {
    const auto reason = std::error_code(errno, std::generic_category()).message();
    return {errc::io_error, what + " '" + file.string() + "': " + reason};
}

result<std::string> read_key(const std::filesystem::path& file, int opened) {
    struct stat status {};
    if (::fstat(opened, &status) != 0) return failure("Cannot examine the token signing key", file);
    if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return error{errc::invalid_argument,
                     "The token signing key '" + file.string() +
                         "' can be read by other users, who could then act as any user. Run: chmod 600 '" +
                         file.string() + "'"};
    }
    std::string text;
    std::array<char, 1024> chunk{};
    for (;;) {
        const auto got = ::read(opened, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure("Cannot read the token signing key", file);
        if (got == 0) break;
        text.append(chunk.data(), static_cast<std::size_t>(got));
        if (text.size() > 65536) break;
    }
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.pop_back();
    auto key = decode_signing_key(text);
    if (!key) {
        return error{errc::invalid_argument, "The token signing key '" + file.string() + "' is damaged. " +
                                                 key.error().message +
                                                 " Restore the file, or remove it so that a new key is "
                                                 "generated. All users must then log in again."};
    }
    return key;
}

}  // namespace

result<std::string> decode_signing_key(std::string_view base64) {
    auto key = base64_decode(base64);
    if (!key || key->size() < min_signing_key_size) {
        return error{
            errc::invalid_argument,
            "JWT token signing key should be Base64 encoded string representing at least 512 bits of data" +
                (key ? ", not " + std::to_string(key->size() * 8) : ", which this value is not") +
                ". Generate one with: openssl rand -base64 64 | tr -d '\\n'"};
    }
    return std::move(*key);
}

std::string random_signing_key() {
    std::string key(min_signing_key_size, '\0');
    fill_random(key);
    return key;
}

result<std::string> read_signing_key(const std::filesystem::path& file) {
    const descriptor existing(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (existing) return read_key(file, existing.get());
    if (errno == ENOENT) return std::string();
    return failure("Cannot open the token signing key", file);
}

task<result<std::string>> load_or_create_signing_key(document_store& store, std::string wanted) {
    const std::string kind = "signing_key";
    const std::string id = "tokens";
    // Twice: another server may store its key between the look and the write.
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto known = co_await store.find(kind, id);
        if (known) {
            auto key = decode_signing_key(known->body);
            if (!key) {
                co_return error{errc::corrupt, "The document signing_key/tokens in the store is damaged. " +
                                                   key.error().message};
            }
            co_return key;
        }
        if (known.error().code != errc::not_found) co_return known.error();
        auto key = wanted.empty() ? random_signing_key() : wanted;
        document made;
        made.kind = kind;
        made.id = id;
        made.body = base64_encode(key);
        const auto stored = co_await store.save(std::move(made), precondition::absent());
        if (!stored) co_return stored.error();
        if (stored->status == write_status::committed) co_return key;
    }
    co_return error{errc::internal, "The store refuses the token signing key and has none"};
}

}  // namespace gallery::auth
