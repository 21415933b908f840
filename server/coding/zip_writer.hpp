// SPDX-License-Identifier: Apache-2.0
/// Writes a zip archive (PKWARE's APPNOTE 6.3) piece by piece, so that it can be sent while it is made.
///
/// Entries are stored without compression, since pictures are compressed already. Size and CRC-32 of an entry
/// are in front of its content: readers of streams cannot find the end of a stored entry otherwise. More than
/// 65,534 entries, and sizes and positions from 4 GiB on, are written as Zip64. In memory are about 46 bytes
/// and the name of each entry.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gallery {

/// The CRC-32 of what @p so_far is of, followed by @p data; 0 is that of nothing.
std::uint32_t zip_crc(std::uint32_t so_far, std::span<const char> data) noexcept;

class zip_writer {
public:
    struct entry {
        std::string_view name;  ///< UTF-8, at most 65,535 bytes; with '/' between folders
        std::uint64_t size = 0;
        std::uint32_t crc = 0;
        std::int64_t time_ms = 0;  ///< since 1970; zip can state the years 1980 to 2107
    };
    /// The bytes in front of the entry's content, which the caller writes next: exactly `size` bytes.
    std::string begin(const entry& what);
    /// The bytes behind the last entry. Nothing may follow.
    std::string finish();

    [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }

private:
    std::string directory_;
    std::uint64_t entries_ = 0;
    std::uint64_t position_ = 0;  ///< of the next entry
};

}  // namespace gallery
