// SPDX-License-Identifier: Apache-2.0
/// Numbers out of untrusted bytes. Reading beyond the end yields zero and is remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gallery::imaging::worker {

class reader {
public:
    explicit reader(std::string_view data) noexcept : data_(data) {}

    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] std::size_t size() const noexcept { return data_.size(); }
    [[nodiscard]] std::string_view data() const noexcept { return data_; }
    [[nodiscard]] bool has(std::size_t at, std::size_t count) const noexcept {
        return at <= data_.size() && count <= data_.size() - at;
    }

    std::uint8_t u8(std::size_t at) noexcept {
        if (!has(at, 1)) return fail();
        return static_cast<std::uint8_t>(data_[at]);
    }
    std::uint16_t le16(std::size_t at) noexcept {
        if (!has(at, 2)) return fail();
        return static_cast<std::uint16_t>(byte(at) | byte(at + 1) << 8);
    }
    std::uint32_t le32(std::size_t at) noexcept {
        if (!has(at, 4)) return fail();
        return byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    }
    std::uint32_t be32(std::size_t at) noexcept {
        if (!has(at, 4)) return fail();
        return byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
    }

private:
    [[nodiscard]] std::uint32_t byte(std::size_t at) const noexcept {
        return static_cast<std::uint8_t>(data_[at]);
    }
    std::uint8_t fail() noexcept {
        failed_ = true;
        return 0;
    }

    std::string_view data_;
    bool failed_ = false;
};

}  // namespace gallery::imaging::worker
