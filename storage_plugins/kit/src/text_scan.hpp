// SPDX-License-Identifier: Apache-2.0
/// Finds the texts of a block that contain a part. text_scan.cpp has the idea and the cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gallery::kit {

/// Memory behind a block of texts that a scan reads and ignores.
inline constexpr std::size_t scan_padding = 96;

/// The ways to scan, from the slowest to the fastest. Each finds the same.
enum class scan_method : std::uint8_t { bytewise, sse2, avx2 };

/// Those that this processor can execute.
std::span<const scan_method> scan_methods() noexcept;

/// A text to search for. Any thread.
class text_pattern {
public:
    /// @p part: folded by fold_case(); not empty. The fastest method, unless another one is given, which must
    /// be one of scan_methods().
    explicit text_pattern(std::string_view part);
    text_pattern(std::string_view part, scan_method how);

    /// Sets bit n of @p found for each text n that contains the part, and leaves all other bits. A block
    /// consists of texts that each end with a NUL, and scan_padding readable bytes behind them. Letters of
    /// ASCII in the texts are compared regardless of case; everything else must be folded.
    void find(std::string_view block, std::uint64_t* found) const;

private:
    void find_bytewise(std::string_view block, std::uint64_t* found) const;
    void find_sse2(std::string_view block, std::uint64_t* found) const;
    void find_avx2(std::string_view block, std::uint64_t* found) const;
    [[nodiscard]] bool matches(const char* at) const noexcept;
    void mark(std::uint64_t hits, std::uint64_t ends, std::size_t first, const char* at,
              std::uint64_t* found) const noexcept;

    std::string part_;
    scan_method how_;
    /// Two places of the part, with bytes that are rare in texts, and their other case.
    std::size_t place_[2] = {0, 0};
    char byte_[2] = {0, 0};
    char other_case_[2] = {0, 0};
    bool is_checked_ = false;  ///< the part has more bytes than these two
    /// Of the last bytes of the part, behind those that fill words of eight.
    std::uint64_t last_word_ = 0;
    std::uint64_t last_mask_ = 0;
};

}  // namespace gallery::kit
