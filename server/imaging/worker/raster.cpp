// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/raster.hpp"

#include "imaging/worker/formats/dib.hpp"
#include "imaging/worker/formats/gif.hpp"
#include "imaging/worker/formats/ico.hpp"
#include "imaging/worker/formats/jpeg.hpp"
#include "imaging/worker/formats/png.hpp"
#include "imaging/worker/preview_maker.hpp"
#include "imaging/worker/vips_image.hpp"

#include <optional>
#include <span>
#include <utility>

namespace gallery::imaging::worker {
namespace {

// The largest factor of 2, 4 and 8 that still leaves twice the preview's pixels to average over.
unsigned shrink_for(extent picture, extent preview) noexcept {
    for (const unsigned factor : {8u, 4u, 2u}) {
        if (picture.width / factor >= 2 * preview.width && picture.height / factor >= 2 * preview.height)
            return factor;
    }
    return 1;
}

// All rows of what libvips decodes.
std::optional<refusal> decode_with_vips(format kind, image_ptr pixels, preview_maker& maker) {
    if (!to_bytes(pixels)) return undecodable(kind);
    const pixel_shape shape{static_cast<std::uint32_t>(pixels->Xsize),
                            static_cast<std::uint32_t>(pixels->Ysize), static_cast<unsigned>(pixels->Bands),
                            vips_image_hasalpha(pixels.get()) != 0, pixels->Type == VIPS_INTERPRETATION_CMYK};
    if (!for_each_row(pixels.get(), maker.begin(shape))) return undecodable(kind);
    return std::nullopt;
}

header size_of(VipsImage* image) noexcept {
    header h;
    h.width = static_cast<std::uint32_t>(image->Xsize);
    h.height = static_cast<std::uint32_t>(image->Ysize);
    return h;
}

checked<decoded> inspect_gif(std::string_view data, const limits& bounds) {
    const auto layout = read_gif(data);
    if (!layout) return layout.error();
    const auto& h = layout->head;
    if (auto over = over_limit(format::gif, h, bounds)) return std::move(*over);
    decoded out;
    out.kind = format::gif;
    out.frames = h.frames;
    out.width = h.width;
    out.height = h.height;
    out.preview_size = fit({h.width, h.height}, preview_side);
    preview_maker maker(out.preview_size, nullptr);
    if (auto wrong = decode_gif(data, *layout, maker.begin({h.width, h.height, 4, true, false})))
        return std::move(*wrong);
    if (!maker.finish(out.preview)) return undecodable(format::gif);
    return out;
}

// PNG, JPEG and what libvips decodes: it reads the profile and the orientation of all of them.
checked<decoded> inspect_vips(format kind, std::string_view data, const limits& bounds) {
    std::optional<png_layout> png;
    header h;
    if (kind == format::png) {  // before libvips sees it: a few bytes can claim much
        auto layout = read_png(data);
        if (!layout) return layout.error();
        if (auto over = over_limit(kind, layout->head, bounds)) return std::move(*over);
        h = layout->head;
        png = std::move(*layout);
    }
    auto image = open_image(kind, data);
    if (!image) return undecodable(kind);
    if (!png) {
        h = size_of(image.get());
        if (kind == format::webp) h.frames = static_cast<std::uint32_t>(vips_image_get_n_pages(image.get()));
        h.frame_pixels = std::uint64_t{h.width} * h.height;
        h.pixels = h.frame_pixels * h.frames;
        if (auto over = over_limit(kind, h, bounds)) return std::move(*over);
    }
    decoded out;
    out.kind = kind;
    out.frames = h.frames;
    out.width = h.width;
    out.height = h.height;
    if (vips_image_get_orientation_swap(image.get()) != 0) std::swap(out.width, out.height);
    out.preview_size = fit({out.width, out.height}, preview_side);
    if (kind == format::png && out.width <= preview_side && out.height <= preview_side) {
        out.preview_is_original = true;
        if (auto wrong = decode_png(*png, [](auto) {})) return std::move(*wrong);
        return out;
    }
    // The original keeps its metadata while operations are put in front of it.
    preview_maker maker(out.preview_size, image.get());
    const auto shrink = shrink_for({out.width, out.height}, out.preview_size);
    std::optional<refusal> wrong;
    if (kind == format::png) {
        wrong = decode_png(*png, maker.begin(png_shape(*png)));
    } else if (kind == format::jpeg) {
        wrong = decode_jpeg(data, shrink, [&maker](const pixel_shape& shape) { return maker.begin(shape); });
    } else {
        // Damage is found at any scale, because the compressed data is read wholly.
        auto pixels = kind == format::webp && shrink > 1 ? open_image(kind, data, 1.0 / shrink)
                                                         : open_image(kind, data);
        if (!pixels) return undecodable(kind);
        wrong = decode_with_vips(kind, std::move(pixels), maker);
    }
    if (wrong) return std::move(*wrong);
    if (!maker.finish(out.preview)) return undecodable(kind);
    return out;
}

checked<decoded> inspect_bitmap(format kind, std::string_view data, const checked<dib_layout>& layout,
                                const limits& bounds) {
    if (!layout) return layout.error();
    const auto area = std::uint64_t{layout->width} * layout->height;
    const header h{layout->width, layout->height, 1, area, area};
    if (auto over = over_limit(kind, h, bounds)) return std::move(*over);
    const auto pixels = decode_dib(data, *layout);
    if (!pixels) return pixels.error();
    decoded out;
    out.kind = kind;
    out.width = h.width;
    out.height = h.height;
    out.preview_size = fit({out.width, out.height}, preview_side);
    preview_maker maker(out.preview_size, nullptr);
    const auto sink = maker.begin({pixels->width, pixels->height, 4, true, false});
    for (std::size_t y = 0; y < pixels->height; ++y)
        sink(std::span(pixels->pixels).subspan(y * pixels->width * 4, std::size_t{pixels->width} * 4));
    if (!maker.finish(out.preview)) return undecodable(kind);
    return out;
}

checked<decoded> inspect_icon(std::string_view data, const limits& bounds) {
    const auto entry = largest_icon_entry(data);
    if (!entry) return entry.error();
    if (auto over = over_limit(format::ico, entry->size, bounds)) return std::move(*over);
    if (!entry->is_png)
        return inspect_bitmap(format::ico, entry->data, read_icon_layout(entry->data), bounds);
    auto inner = inspect_vips(format::png, entry->data, bounds);
    if (!inner) return inner;
    inner->kind = format::ico;
    inner->frames = 1;
    if (inner->preview_is_original) {  // the entry, not the icon, is a PNG of the right size
        inner->preview_is_original = false;
        inner->preview.assign(entry->data.begin(), entry->data.end());
    }
    return inner;
}

}  // namespace

checked<decoded> inspect_raster(format kind, std::string_view data, const limits& bounds) {
    vips_error_clear();
    if (kind == format::bmp) return inspect_bitmap(kind, data, read_bmp_layout(data), bounds);
    if (kind == format::ico) return inspect_icon(data, bounds);
    if (kind == format::gif) return inspect_gif(data, bounds);
    return inspect_vips(kind, data, bounds);
}

}  // namespace gallery::imaging::worker
