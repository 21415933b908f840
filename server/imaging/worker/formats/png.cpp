#include "imaging/worker/formats/png.hpp"

#include "imaging/worker/formats/reader.hpp"

#include <zlib.h>

namespace gallery::imaging::worker {
namespace {

using namespace std::string_view_literals;

constexpr auto signature = "\x89PNG\r\n\x1a\n"sv;

// Bit depths that each colour type allows, as a bit set (table 11.1).
bool depth_allowed(unsigned colour_type, unsigned depth) noexcept {
    switch (colour_type) {
        case 0:
            return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
        case 3:
            return depth == 1 || depth == 2 || depth == 4 || depth == 8;
        case 2:
        case 4:
        case 6:
            return depth == 8 || depth == 16;
        default:
            return false;
    }
}

std::uint32_t crc(std::string_view data) noexcept {
    return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

std::optional<refusal> read_ihdr(reader& in, std::size_t at, std::uint32_t length, header& h) {
    if (length != 13)
        return damaged(format::png, "its IHDR chunk is " + std::to_string(length) + " bytes long, not 13");
    h.width = in.be32(at);
    h.height = in.be32(at + 4);
    const unsigned depth = in.u8(at + 8);
    const unsigned colour_type = in.u8(at + 9);
    if (colour_type != 0 && colour_type != 2 && colour_type != 3 && colour_type != 4 && colour_type != 6) {
        return damaged(format::png, "colour type " + std::to_string(colour_type) + " does not exist");
    }
    if (!depth_allowed(colour_type, depth)) {
        return damaged(format::png, "bit depth " + std::to_string(depth) +
                                        " is not possible with colour type " + std::to_string(colour_type));
    }
    if (in.u8(at + 10) != 0 || in.u8(at + 11) != 0 || in.u8(at + 12) > 1) {
        return damaged(format::png, "it names an unknown compression, filter or interlace method");
    }
    if (h.width > 0x7fffffff || h.height > 0x7fffffff)
        return damaged(format::png, "its size is out of range");
    return std::nullopt;
}

}  // namespace

checked<header> check_png(std::string_view data) {
    if (!data.starts_with(signature)) return damaged(format::png, "its signature is wrong");
    reader in(data);
    header h;
    bool first = true;
    bool pixels = false;
    for (std::size_t at = signature.size();;) {
        if (!in.has(at, 12)) return damaged(format::png, "it ends too early");
        const auto length = in.be32(at);
        const auto type = data.substr(at + 4, 4);
        if (length > 0x7fffffff || !in.has(at + 8, std::size_t{length} + 4)) {
            return damaged(format::png, "it ends too early");
        }
        const bool critical = (type[0] & 0x20) == 0;
        if (critical && in.be32(at + 8 + length) != crc(data.substr(at + 4, std::size_t{length} + 4))) {
            for (const char c : type) {
                if (c < 'A' || c > 'z') return damaged(format::png, "it holds something that is no chunk");
            }
            return damaged(format::png, "its " + std::string(type) + " chunk has a wrong check sum");
        }
        if (first != (type == "IHDR"sv))
            return damaged(format::png, "its first chunk is not IHDR, or IHDR is repeated");
        if (first) {
            if (auto wrong = read_ihdr(in, at + 8, length, h)) return std::move(*wrong);
        } else if (type == "IDAT"sv) {
            pixels = true;
        } else if (type == "acTL"sv && length >= 4) {
            h.frames = std::max<std::uint32_t>(1, in.be32(at + 8));
        } else if (type == "IEND"sv) {
            break;
        }
        first = false;
        at += 12 + std::size_t{length};
    }
    if (!pixels) return damaged(format::png, "it has no IDAT chunk, so no pixels");
    h.pixels = std::uint64_t{h.width} * h.height;
    // Frame counts near 2^32 times a large canvas would overflow; the frame limit refuses them anyway.
    h.pixels = h.frames > 1'000'000 ? UINT64_MAX : h.pixels * h.frames;
    return h;
}

}  // namespace gallery::imaging::worker
