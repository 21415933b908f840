// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/formats/ico.hpp"

#include "imaging/worker/formats/dib.hpp"
#include "imaging/worker/formats/png.hpp"
#include "imaging/worker/formats/reader.hpp"

#include <utility>

namespace gallery::imaging::worker {

checked<icon_entry> largest_icon_entry(std::string_view file) {
    constexpr std::size_t sane_entries = 256;
    reader in(file);
    const std::size_t count = in.le16(4);
    if (count > sane_entries) {
        return refusal{protocol::outcome::too_large, "The ICO image has " + with_commas(count) +
                                                         " entries; at most " + with_commas(sane_entries) +
                                                         " are accepted."};
    }
    icon_entry best;
    std::pair<std::uint64_t, std::uint32_t> rank{0, 0};
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = 6 + 16 * i;
        const std::size_t length = in.le32(at + 8);
        const std::size_t offset = in.le32(at + 12);
        if (in.failed() || !in.has(offset, length)) return damaged(format::ico, "it ends too early");
        icon_entry entry;
        entry.data = file.substr(offset, length);
        entry.is_png = entry.data.starts_with("\x89PNG");
        std::uint32_t bits = 0;
        if (entry.is_png) {
            auto inner = read_png(entry.data);
            if (!inner) return damaged(format::ico, "an entry is a PNG that is damaged");
            entry.size = inner->head;
            bits = 32;
        } else {
            auto layout = read_icon_layout(entry.data);
            if (!layout) return layout.error();
            entry.size.width = layout->width;
            entry.size.height = layout->height;
            entry.size.pixels = std::uint64_t{layout->width} * layout->height;
            entry.size.frame_pixels = entry.size.pixels;
            bits = layout->bits;
        }
        const std::pair mine{entry.size.pixels, bits};
        if (mine > rank) {
            rank = mine;
            best = entry;
        }
    }
    if (rank.first == 0) return damaged(format::ico, "it has no entry");
    return best;
}

}  // namespace gallery::imaging::worker
