// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/raster.hpp"

#include "imaging/worker/formats/area_scaler.hpp"
#include "imaging/worker/formats/dib.hpp"
#include "imaging/worker/formats/gif.hpp"
#include "imaging/worker/formats/ico.hpp"
#include "imaging/worker/formats/jpeg.hpp"
#include "imaging/worker/formats/png.hpp"

#include <vips/vips.h>

#include <gmodule.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>

namespace gallery::imaging::worker {
namespace {

struct unref {
    void operator()(void* object) const noexcept { g_object_unref(object); }
};
using image_ptr = std::unique_ptr<VipsImage, unref>;

// libvips' own words about the last failure: the first line, printable, not too long.
std::string vips_words() {
    std::string_view text = vips_error_buffer();
    // Later lines are consequences of the first.
    text = text.substr(0, text.find('\n'));
    std::string out;
    for (const char c : text.substr(0, 160))
        out.push_back(c >= ' ' && c < 0x7f ? c : ' ');
    vips_error_clear();
    while (!out.empty() && (out.back() == ' ' || out.back() == '.'))
        out.pop_back();
    return out;
}

refusal undecodable(format kind) {
    const auto words = vips_words();
    return damaged(kind, words.empty() ? "the decoder failed without a message"
                                       : "the decoder reports \"" + words + "\"");
}

// Opens an image: the header is read, pixels follow on demand, from top to bottom. Those of a WebP at a
// scale, if that is not 1.
image_ptr open(format kind, std::string_view data, double scale = 1) {
    auto* bytes = const_cast<char*>(data.data());
    const auto size = data.size();
    VipsImage* out = nullptr;
    constexpr auto sequential = VIPS_ACCESS_SEQUENTIAL;
    constexpr auto strict = VIPS_FAIL_ON_ERROR;
    switch (kind) {
        case format::png:  // only what is said about the pixels
            vips_pngload_buffer(bytes, size, &out, "access", sequential, "fail_on", VIPS_FAIL_ON_NONE,
                                nullptr);
            break;
        case format::jpeg:  // likewise
            vips_jpegload_buffer(bytes, size, &out, "access", sequential, "fail_on", VIPS_FAIL_ON_NONE,
                                 nullptr);
            break;
        case format::webp:
            vips_webpload_buffer(bytes, size, &out, "access", sequential, "fail_on", strict, "scale", scale,
                                 nullptr);
            break;
        case format::tiff:
            vips_tiffload_buffer(bytes, size, &out, "access", sequential, "fail_on", strict, nullptr);
            break;
        case format::avif:
        case format::heif:
            vips_heifload_buffer(bytes, size, &out, "access", sequential, "fail_on", strict, nullptr);
            break;
        default:
            vips_error("gallery", "no loader");
    }
    return image_ptr(out);
}

// Computes all rows from top to bottom and hands each on, in the calling thread. False where one cannot be
// computed.
template <class Sink>
bool for_each_row(VipsImage* image, Sink sink) {
    const std::unique_ptr<VipsRegion, unref> region(vips_region_new(image));
    constexpr int strip = 32;
    for (int top = 0; top < image->Ysize; top += strip) {
        const VipsRect area{0, top, image->Xsize, std::min(strip, image->Ysize - top)};
        if (vips_region_prepare(region.get(), &area) != 0) return false;
        for (int y = top; y < top + area.height; ++y) {
            sink(std::span<const std::uint8_t>(VIPS_REGION_ADDR(region.get(), 0, y),
                                               VIPS_REGION_SIZEOF_LINE(region.get())));
        }
    }
    return true;
}

// One step of a chain of operations: takes over what the operation made. @p made is a reference because it
// is set while the other argument is evaluated.
bool step(image_ptr& image, int failed, VipsImage*& made) {
    image.reset(std::exchange(made, nullptr));
    return failed == 0;
}

// Eight bits a channel; grey, RGB or CMYK; with or without opacity. Computed while rows are read.
bool to_bytes(image_ptr& image) {
    VipsImage* out = nullptr;
    const auto type = vips_image_guess_interpretation(image.get());
    const bool plain = type == VIPS_INTERPRETATION_B_W || type == VIPS_INTERPRETATION_GREY16 ||
                       type == VIPS_INTERPRETATION_sRGB || type == VIPS_INTERPRETATION_RGB ||
                       type == VIPS_INTERPRETATION_RGB16 || type == VIPS_INTERPRETATION_CMYK;
    const auto depth = image->BandFmt;
    if (!plain || image->Coding != VIPS_CODING_NONE ||
        (depth != VIPS_FORMAT_UCHAR && depth != VIPS_FORMAT_USHORT)) {
        const auto wanted = image->Bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
        if (!step(image, vips_colourspace(image.get(), &out, wanted, nullptr), out)) return false;
        return step(image, vips_cast_uchar(image.get(), &out, nullptr), out);
    }
    if (depth == VIPS_FORMAT_USHORT && !step(image, vips_msb(image.get(), &out, nullptr), out)) return false;
    if (type == VIPS_INTERPRETATION_CMYK && image->Bands >= 4) {
        return image->Bands <= 5 ||
               step(image, vips_extract_band(image.get(), &out, 0, "n", 4, nullptr), out);
    }
    // Further channels of scientific pictures mean nothing on a screen.
    return image->Bands <= 4 || step(image, vips_extract_band(image.get(), &out, 0, "n", 3, nullptr), out);
}

// The intent to ask a profile for. A profile made of tables need not have one for each (ICC.1, 8.2), and
// libvips passes over a profile that lacks the one asked for.
VipsIntent intent_of(std::string_view profile) {
    constexpr std::size_t header_size = 128;
    constexpr std::size_t entry_size = 12;
    std::array<bool, 3> tables{};  // perceptual, relative colorimetric, saturation
    for (std::size_t at = header_size + 4; at + entry_size <= profile.size(); at += entry_size) {
        const auto tag = profile.substr(at, 4);
        if ((tag.starts_with("A2B") || tag.starts_with("D2B")) && tag[3] >= '0' && tag[3] <= '2')
            tables[static_cast<std::size_t>(tag[3] - '0')] = true;
    }
    if (tables[1]) return VIPS_INTENT_RELATIVE;
    if (tables[0]) return VIPS_INTENT_PERCEPTUAL;
    return tables[2] ? VIPS_INTENT_SATURATION : VIPS_INTENT_RELATIVE;
}

// From whatever the picture's colours mean to sRGB. A profile that cannot be used is passed over: it spoils
// colours, not the picture.
bool to_srgb(image_ptr& image, VipsImage* original) {
    VipsImage* out = nullptr;
    const void* profile = nullptr;
    std::size_t size = 0;
    const bool has_profile = original != nullptr &&
                             vips_image_get_typeof(original, VIPS_META_ICC_NAME) != 0 &&
                             vips_image_get_blob(original, VIPS_META_ICC_NAME, &profile, &size) == 0;
    if (has_profile) {
        vips_image_set_blob_copy(image.get(), VIPS_META_ICC_NAME, profile, size);
        const auto intent = intent_of({static_cast<const char*>(profile), size});
        if (vips_icc_transform(image.get(), &out, "srgb", "embedded", TRUE, "intent", intent, nullptr) == 0) {
            image.reset(out);
            return true;
        }
        vips_error_clear();
        vips_image_remove(image.get(), VIPS_META_ICC_NAME);
    }
    if (image->Type != VIPS_INTERPRETATION_CMYK) return true;
    return step(image, vips_icc_transform(image.get(), &out, "srgb", "input_profile", "cmyk", nullptr), out);
}

// Drawings and screen shots have few colours, photographs many.
bool is_flat(std::span<const std::uint8_t> pixels, unsigned bands) {
    constexpr std::size_t few = 256;
    std::unordered_set<std::uint32_t> colours;
    for (std::size_t i = 0; i < pixels.size() && colours.size() <= few; i += bands) {
        std::uint32_t colour = 0;
        for (unsigned b = 0; b < bands; ++b)
            colour = colour << 8 | pixels[i + b];
        colours.insert(colour);
    }
    return colours.size() <= few;
}

// Takes away an opacity that hides nothing.
bool drop_opaque_alpha(std::vector<std::uint8_t>& pixels, unsigned bands) {
    for (std::size_t i = bands - 1; i < pixels.size(); i += bands) {
        if (pixels[i] != 255) return false;
    }
    std::size_t to = 0;
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        if (i % bands != bands - 1) pixels[to++] = pixels[i];
    }
    pixels.resize(to);
    return true;
}

// Rows of photographs are filtered, which makes them a third smaller at little effort; flat pictures become
// larger by it.
bool write_png(VipsImage* image, bool flat, std::vector<char>& out) {
    void* buffer = nullptr;
    std::size_t size = 0;
    if (vips_pngsave_buffer(image, &buffer, &size, "strip", TRUE, "compression", flat ? 6 : 4, "filter",
                            flat ? VIPS_FOREIGN_PNG_FILTER_NONE : VIPS_FOREIGN_PNG_FILTER_ALL,
                            nullptr) != 0) {
        return false;
    }
    const auto* first = static_cast<const char*>(buffer);
    out.assign(first, first + size);
    g_free(buffer);
    return true;
}

// Scales rows while they come and makes a PNG of exactly @p size of them, upright.
class preview_maker {
public:
    // @p size is what is seen, @p original says how the pixels are turned and what their colours mean; null
    // where nobody says so.
    preview_maker(extent size, VipsImage* original) : original_(original), to_{size.width, size.height} {
        if (original == nullptr) return;
        orientation_ = vips_image_get_orientation(original);
        if (vips_image_get_orientation_swap(original) != 0) std::swap(to_.width, to_.height);
    }

    // To be called before the first row.
    row_sink begin(const pixel_shape& from) {
        shape_ = from;
        scaler_.emplace(area_scaler::shape{from.width, from.height}, to_, from.bands, from.alpha);
        return [this](std::span<const std::uint8_t> row) { scaler_->add_row(row); };
    }

    // To be called behind the last row.
    bool finish(std::vector<char>& png) {
        auto pixels = scaler_->take();
        auto bands = shape_.bands;
        if (shape_.alpha && drop_opaque_alpha(pixels, bands)) --bands;
        image_ptr raw(vips_image_new_from_memory(pixels.data(), pixels.size(), static_cast<int>(to_.width),
                                                 static_cast<int>(to_.height), static_cast<int>(bands),
                                                 VIPS_FORMAT_UCHAR));
        if (!raw) return false;
        const auto type = bands < 3     ? VIPS_INTERPRETATION_B_W
                          : shape_.cmyk ? VIPS_INTERPRETATION_CMYK
                                        : VIPS_INTERPRETATION_sRGB;
        VipsImage* out = nullptr;
        if (!step(raw, vips_copy(raw.get(), &out, "interpretation", type, nullptr), out)) return false;
        if (!to_srgb(raw, original_)) return false;
        if (orientation_ != 1) {
            vips_image_set_int(raw.get(), VIPS_META_ORIENTATION, orientation_);
            if (!step(raw, vips_autorot(raw.get(), &out, nullptr), out)) return false;
        }
        return write_png(raw.get(), is_flat(pixels, bands), png);
    }

private:
    VipsImage* original_;
    int orientation_ = 1;
    area_scaler::shape to_;
    pixel_shape shape_;
    std::optional<area_scaler> scaler_;
};

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
    auto image = open(kind, data);
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
        auto pixels = kind == format::webp && shrink > 1 ? open(kind, data, 1.0 / shrink) : open(kind, data);
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

bool vips_start(const char* program) {
    // Without a home libvips finds none of its modules (ImageMagick, PDF, slides ...); the one that is
    // needed is loaded by name.
    g_setenv("VIPSHOME", "/nonexistent", TRUE);
    g_setenv("VIPS_WARNING", "0", TRUE);
    // Nothing is ever put on disk, and nothing is compiled at run time, so no memory has to be executable.
    g_setenv("VIPS_DISC_THRESHOLD", "64g", TRUE);
    g_setenv("VIPS_NOVECTOR", "1", TRUE);
    if (vips_init(program) != 0) {
        std::fprintf(stderr, "libvips cannot be initialised: %s\n", vips_error_buffer());
        return false;
    }
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    vips_cache_set_max_mem(0);
    vips_block_untrusted_set(TRUE);
    if (vips_type_find("VipsOperation", "heifload_buffer") == 0) {
        // BIND_LAZY is not for us: after confinement nothing more can be loaded.
        GModule* module = g_module_open(GALLERY_VIPS_MODULES "/vips-heif.so", static_cast<GModuleFlags>(0));
        if (module == nullptr) {
            std::fprintf(stderr, "AVIF and HEIF are not available: %s\n", g_module_error());
        } else {
            g_module_make_resident(module);
        }
    }
    return true;
}

checked<decoded> inspect_raster(format kind, std::string_view data, const limits& bounds) {
    vips_error_clear();
    if (kind == format::bmp) return inspect_bitmap(kind, data, read_bmp_layout(data), bounds);
    if (kind == format::ico) return inspect_icon(data, bounds);
    if (kind == format::gif) return inspect_gif(data, bounds);
    return inspect_vips(kind, data, bounds);
}

}  // namespace gallery::imaging::worker
