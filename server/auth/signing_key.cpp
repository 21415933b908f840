// SPDX-License-Identifier: Apache-2.0
#include "auth/signing_key.hpp"

#include "auth/encoding.hpp"

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

bool write_all(int to, std::string_view text) {
    while (!text.empty()) {
        const auto done = ::write(to, text.data(), text.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(done));
    }
    return true;
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

result<std::string> load_or_create_signing_key(const std::filesystem::path& file) {
    {
        const descriptor existing(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
        if (existing) return read_key(file, existing.get());
        if (errno != ENOENT) return failure("Cannot open the token signing key", file);
    }
    std::string key(min_signing_key_size, '\0');
    fill_random(key);
    const auto text = base64_encode(key) + '\n';

    const auto temporary = file.string() + '.' + random_alphanumerics(12) + ".tmp";
    const descriptor created(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!created) return failure("Cannot create", temporary);
    if (!write_all(created.get(), text) || ::fsync(created.get()) != 0) {
        const auto failed = failure("Cannot write", temporary);
        ::unlink(temporary.c_str());
        return failed;
    }
    // link() never replaces a file, unlike rename(): another process may have come first.
    const bool lost = ::link(temporary.c_str(), file.c_str()) != 0;
    if (lost && errno != EEXIST) {
        const auto failed = failure("Cannot create the token signing key", file);
        ::unlink(temporary.c_str());
        return failed;
    }
    ::unlink(temporary.c_str());
    const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    const descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.get()) != 0) return failure("Cannot synchronise the folder", folder);
    if (!lost) return key;
    const descriptor winner(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!winner) return failure("Cannot open the token signing key", file);
    return read_key(file, winner.get());
}

}  // namespace gallery::auth
