// SPDX-License-Identifier: Apache-2.0
#include "mark.hpp"

#include "codec.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace gallery::rocks {
namespace {

constexpr std::string_view salt = "acknowledged";
constexpr std::size_t mark_size = 12;  // revision, then the checksum over salt and revision

std::array<char, mark_size> encode(revision rev) {
    std::string text = encode_number(rev);
    const std::uint32_t sum = crc32c(salt, text);
    std::array<char, mark_size> made{};
    std::memcpy(made.data(), text.data(), 8);
    std::memcpy(made.data() + 8, &sum, 4);
    return made;
}

}  // namespace

acknowledged_mark::~acknowledged_mark() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

result<void> acknowledged_mark::open(const std::string& path) {
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ >= 0) return {};
    // What it contains is needed for reading, too.
    const int number = errno;
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    return error{errc::io_error, "Cannot open " + path + ": " + std::strerror(number) + "."};
}

std::optional<revision> acknowledged_mark::read() const {
    std::array<char, mark_size> bytes{};
    if (::pread(descriptor_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        return std::nullopt;
    const auto rev = decode_number({bytes.data(), 8});
    if (!rev || encode(*rev) != bytes) return std::nullopt;
    return rev;
}

void acknowledged_mark::write(revision rev) noexcept {
    const auto bytes = encode(rev);
    [[maybe_unused]] const auto written = ::pwrite(descriptor_, bytes.data(), bytes.size(), 0);
}

void acknowledged_mark::synchronise() noexcept {
    ::fdatasync(descriptor_);
}

}  // namespace gallery::rocks
