// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/formats/dib.hpp"

#include "imaging/worker/formats/reader.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace gallery::imaging::worker {
namespace {

constexpr std::uint32_t rgb = 0;
constexpr std::uint32_t rle8 = 1;
constexpr std::uint32_t rle4 = 2;
constexpr std::uint32_t bit_fields = 3;
constexpr std::uint32_t alpha_bit_fields = 6;

std::size_t stride_of(const dib_layout& l) noexcept {
    return (std::size_t{l.width} * l.bits + 31) / 32 * 4;
}

std::uint8_t channel(std::uint32_t pixel, std::uint32_t mask, std::uint8_t absent) noexcept {
    if (mask == 0) return absent;
    const auto shift = std::countr_zero(mask);
    const std::uint64_t highest = mask >> shift;
    const std::uint64_t value = (pixel & mask) >> shift;
    if (highest == 255) return static_cast<std::uint8_t>(value);
    return static_cast<std::uint8_t>((value * 255 + highest / 2) / highest);
}

checked<dib_layout> read_layout(std::string_view data, std::size_t begin, format owner) {
    reader in(data);
    dib_layout l;
    l.owner = owner;
    const auto header_size = in.le32(begin);
    constexpr std::array<std::uint32_t, 8> header_sizes{12, 16, 40, 52, 56, 64, 108, 124};
    if (std::ranges::find(header_sizes, header_size) == header_sizes.end()) {
        return damaged(owner, "its header cannot be " + std::to_string(header_size) + " bytes long");
    }
    std::int64_t height = 0;
    std::size_t behind = begin + header_size;
    if (header_size == 12) {
        l.width = in.le16(begin + 4);
        height = in.le16(begin + 6);
        l.bits = in.le16(begin + 10);
        l.palette_entry_size = 3;
        l.palette_entries = l.bits <= 8 ? 1u << l.bits : 0;
    } else {
        const auto width = static_cast<std::int32_t>(in.le32(begin + 4));
        if (width < 0) return damaged(owner, "its width is negative");
        l.width = static_cast<std::uint32_t>(width);
        height = static_cast<std::int32_t>(in.le32(begin + 8));
        l.bits = in.le16(begin + 14);
        const bool full = header_size >= 40;
        l.compression = full ? in.le32(begin + 16) : rgb;
        const auto used = full ? in.le32(begin + 32) : 0;
        if (l.bits <= 8) l.palette_entries = used == 0 ? 1u << l.bits : std::min(used, 1u << l.bits);
        // OS/2's numbers 3 and 4 are fax and RLE24 compression, which are no longer in use.
        const bool os2 = header_size == 16 || header_size == 64;
        if (l.compression == bit_fields || l.compression == alpha_bit_fields) {
            if (os2) return damaged(owner, "its OS/2 compression is not supported");
            const std::size_t count = l.compression == alpha_bit_fields || header_size >= 56 ? 4 : 3;
            for (std::size_t i = 0; i < count; ++i)
                l.masks[i] = in.le32(begin + 40 + 4 * i);
            if (header_size == 40) behind += 4 * count;
            l.compression = bit_fields;
        }
        l.palette = behind;
    }
    if (l.palette == 0) l.palette = behind;
    if (in.failed()) return damaged(owner, "it ends within its header");
    l.top_down = height < 0;
    height = l.top_down ? -height : height;
    if (owner == format::ico) height /= 2;
    l.height = static_cast<std::uint32_t>(height);
    constexpr std::array<std::uint32_t, 7> depths{1, 2, 4, 8, 16, 24, 32};
    if (std::ranges::find(depths, l.bits) == depths.end()) {
        return damaged(owner, std::to_string(l.bits) + " bits per pixel are not possible");
    }
    const bool compression_fits = l.compression == rgb || (l.compression == rle8 && l.bits == 8) ||
                                  (l.compression == rle4 && l.bits == 4) ||
                                  (l.compression == bit_fields && (l.bits == 16 || l.bits == 32));
    if (!compression_fits) {
        return damaged(owner, "compression " + std::to_string(l.compression) + " with " +
                                  std::to_string(l.bits) + " bits per pixel is not supported");
    }
    if (l.compression == rgb && l.bits == 16) {
        l.masks[0] = 0x7c00;
        l.masks[1] = 0x03e0;
        l.masks[2] = 0x001f;
    } else if (l.compression == rgb && l.bits == 32) {
        l.masks[0] = 0xff0000;
        l.masks[1] = 0x00ff00;
        l.masks[2] = 0x0000ff;
        // In icons the fourth byte is opacity, in plain bitmaps it means nothing.
        if (owner == format::ico) l.masks[3] = 0xff000000;
    }
    l.pixels = l.palette + std::size_t{l.palette_entries} * l.palette_entry_size;
    return l;
}

using palette = std::array<std::array<std::uint8_t, 3>, 256>;

palette read_palette(std::string_view data, const dib_layout& l) noexcept {
    reader in(data);
    palette colours{};
    for (std::uint32_t i = 0; i < l.palette_entries; ++i) {
        const auto at = l.palette + std::size_t{i} * l.palette_entry_size;
        if (!in.has(at, 3)) break;
        colours[i] = {in.u8(at + 2), in.u8(at + 1), in.u8(at)};
    }
    return colours;
}

// Runs (compression 1 and 2). Pixels that no run sets stay as colour 0, as Windows shows them.
bool decode_runs(std::string_view data, const dib_layout& l, std::vector<std::uint8_t>& indices) {
    reader in(data);
    std::size_t at = l.pixels;
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    const bool nibbles = l.compression == rle4;
    const auto put = [&](std::uint8_t value) {
        if (x < l.width && y < l.height) indices[static_cast<std::size_t>(y * l.width + x)] = value;
        ++x;
    };
    while (y < l.height) {
        const auto count = in.u8(at);
        const auto value = in.u8(at + 1);
        at += 2;
        if (in.failed()) return y + 1 == l.height && x >= l.width;
        if (count > 0) {
            for (unsigned i = 0; i < count; ++i) {
                put(!nibbles ? value : static_cast<std::uint8_t>(i % 2 == 0 ? value >> 4 : value & 15));
            }
        } else if (value == 0) {
            x = 0;
            ++y;
        } else if (value == 1) {
            return true;
        } else if (value == 2) {
            x += in.u8(at);
            y += in.u8(at + 1);
            at += 2;
            if (in.failed()) return false;
        } else {
            const std::size_t bytes = nibbles ? (value + 1u) / 2 : value;
            if (!in.has(at, bytes)) return false;
            for (unsigned i = 0; i < value; ++i) {
                const auto byte = in.u8(at + (nibbles ? i / 2 : i));
                put(!nibbles ? byte : static_cast<std::uint8_t>(i % 2 == 0 ? byte >> 4 : byte & 15));
            }
            at += bytes + bytes % 2;
        }
    }
    return true;
}

// The mask behind an icon's pixels: one bit each, set where transparent.
bool apply_icon_mask(std::string_view data, const dib_layout& l, rgba_image& image) {
    const auto at = l.pixels + stride_of(l) * l.height;
    const std::size_t stride = (std::size_t{l.width} + 31) / 32 * 4;
    reader in(data);
    if (!in.has(at, stride * (l.height - 1) + (l.width + 7) / 8)) return false;
    for (std::uint32_t y = 0; y < l.height; ++y) {
        const auto row = at + stride * (l.height - 1 - y);
        for (std::uint32_t x = 0; x < l.width; ++x) {
            if ((in.u8(row + x / 8) >> (7 - x % 8) & 1) != 0) {
                image.pixels[(std::size_t{y} * l.width + x) * 4 + 3] = 0;
                image.alpha = true;
            }
        }
    }
    return true;
}

void unpack_row(reader& in, std::size_t row, const dib_layout& l, const palette& colours, std::uint8_t* out) {
    for (std::uint32_t x = 0; x < l.width; ++x, out += 4) {
        out[3] = 255;
        if (l.bits <= 8) {
            const auto byte = in.u8(row + std::size_t{x} * l.bits / 8);
            const auto shift = 8 - l.bits - x * l.bits % 8;
            const auto& c = colours[byte >> shift & ((1u << l.bits) - 1)];
            std::ranges::copy(c, out);
        } else if (l.bits == 24) {
            const auto at = row + std::size_t{x} * 3;
            out[0] = in.u8(at + 2);
            out[1] = in.u8(at + 1);
            out[2] = in.u8(at);
        } else {
            const auto pixel =
                l.bits == 16 ? in.le16(row + std::size_t{x} * 2) : in.le32(row + std::size_t{x} * 4);
            for (int i = 0; i < 3; ++i)
                out[i] = channel(pixel, l.masks[i], 0);
            out[3] = channel(pixel, l.masks[3], 255);
        }
    }
}

}  // namespace

checked<dib_layout> read_bmp_layout(std::string_view file) {
    auto layout = read_layout(file, 14, format::bmp);
    if (!layout) return layout;
    reader in(file);
    const auto declared = in.le32(10);
    // Zero is written by some programs that mean "right behind the palette".
    if (declared != 0) layout->pixels = declared;
    return layout;
}

checked<dib_layout> read_icon_layout(std::string_view entry) {
    auto layout = read_layout(entry, 0, format::ico);
    if (layout && (layout->compression == rle4 || layout->compression == rle8 || layout->top_down)) {
        return damaged(format::ico, "an entry has a compression that is not allowed in icons");
    }
    return layout;
}

checked<rgba_image> decode_dib(std::string_view data, const dib_layout& l) {
    rgba_image image;
    image.width = l.width;
    image.height = l.height;
    reader in(data);
    const auto colours = read_palette(data, l);
    const auto early = damaged(l.owner, "it ends before its last pixel");
    const bool runs = l.compression == rle4 || l.compression == rle8;
    const auto stride = stride_of(l);
    // The padding of the last row may be missing.
    if (!runs && !in.has(l.pixels, stride * (l.height - 1) + (std::size_t{l.width} * l.bits + 7) / 8)) {
        return early;
    }
    const std::size_t count = std::size_t{l.width} * l.height;
    image.pixels.resize(count * 4);
    const auto target = [&](std::uint32_t y) {
        return image.pixels.data() + std::size_t{l.top_down ? y : l.height - 1 - y} * l.width * 4;
    };
    if (runs) {
        std::vector<std::uint8_t> indices(count);
        if (!decode_runs(data, l, indices)) return early;
        for (std::uint32_t y = 0; y < l.height; ++y) {
            auto* out = target(y);
            for (std::uint32_t x = 0; x < l.width; ++x, out += 4) {
                std::ranges::copy(colours[indices[std::size_t{y} * l.width + x]], out);
                out[3] = 255;
            }
        }
    } else {
        for (std::uint32_t y = 0; y < l.height; ++y) {
            unpack_row(in, l.pixels + stride * y, l, colours, target(y));
        }
    }
    bool any_opacity = false;
    for (std::size_t i = 3; i < image.pixels.size(); i += 4) {
        any_opacity = any_opacity || image.pixels[i] != 0;
        image.alpha = image.alpha || image.pixels[i] != 255;
    }
    // An opacity that is zero everywhere was never written.
    const bool opacity_meant = l.masks[3] != 0 && any_opacity;
    if (!any_opacity) {
        for (std::size_t i = 3; i < image.pixels.size(); i += 4)
            image.pixels[i] = 255;
        image.alpha = false;
    }
    if (l.owner == format::ico && !opacity_meant && !apply_icon_mask(data, l, image) && l.bits != 32)
        return early;
    return image;
}

}  // namespace gallery::imaging::worker
