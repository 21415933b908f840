#include "imaging/worker/formats/gif.hpp"

#include "imaging/worker/formats/reader.hpp"

#include <algorithm>

namespace gallery::imaging::worker {
namespace {

std::size_t colour_table(std::uint8_t flags) noexcept {
    return (flags & 0x80) != 0 ? std::size_t{3} << ((flags & 7) + 1) : 0;
}

// Moves behind a chain of sub-blocks, which ends with an empty one. False where the file ends before.
bool skip_sub_blocks(reader& in, std::size_t& at) noexcept {
    for (;;) {
        const auto length = in.u8(at);
        if (in.failed() || !in.has(at + 1, length)) return false;
        at += 1 + std::size_t{length};
        if (length == 0) return true;
    }
}

}  // namespace

checked<header> check_gif(std::string_view data) {
    reader in(data);
    header h;
    h.width = in.le16(6);
    h.height = in.le16(8);
    h.frames = 0;
    std::size_t at = 13 + colour_table(in.u8(10));
    const std::uint64_t canvas = std::uint64_t{h.width} * h.height;
    const auto early = damaged(format::gif, "it ends too early");
    if (in.failed() || !in.has(at, 0)) return early;
    while (at < data.size()) {
        const auto kind = in.u8(at++);
        if (kind == 0x21) {  // extension
            ++at;            // its label
            if (!skip_sub_blocks(in, at)) return early;
        } else if (kind == 0x2c) {  // image
            // A frame may be declared larger than the canvas and is then what costs.
            const std::uint64_t own = std::uint64_t{in.le16(at + 4)} * in.le16(at + 6);
            at += 9 + colour_table(in.u8(at + 8)) + 1;
            if (in.failed() || !skip_sub_blocks(in, at)) return early;
            ++h.frames;
            h.pixels += std::max(canvas, own);
        } else {
            break;  // the trailer, or padding that some programs write
        }
    }
    if (h.frames == 0) return damaged(format::gif, "it has no frame");
    return h;
}

}  // namespace gallery::imaging::worker
