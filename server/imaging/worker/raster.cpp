#include "imaging/worker/raster.hpp"

#include "imaging/worker/formats/area_scaler.hpp"
#include "imaging/worker/formats/dib.hpp"
#include "imaging/worker/formats/gif.hpp"
#include "imaging/worker/formats/ico.hpp"
#include "imaging/worker/formats/png.hpp"

#include <vips/vips.h>

#include <gmodule.h>

#include <algorithm>
#include <cstdio>
#include <memory>
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
    return out.empty() ? "it cannot be decoded" : out;
}

refusal undecodable(format kind) {
    auto words = vips_words();
    return damaged(kind, "it cannot be decoded (" + words + ")");
}

// Opens an image: the header is read, pixels follow on demand, from top to bottom.
image_ptr open(format kind, std::string_view data, int shrink, int frames) {
    auto* bytes = const_cast<char*>(data.data());
    const auto size = data.size();
    VipsImage* out = nullptr;
    constexpr auto sequential = VIPS_ACCESS_SEQUENTIAL;
    constexpr auto strict = VIPS_FAIL_ON_ERROR;
    switch (kind) {
        case format::png:
            vips_pngload_buffer(bytes, size, &out, "access", sequential, "fail_on", strict, nullptr);
            break;
        case format::jpeg:
            vips_jpegload_buffer(bytes, size, &out, "access", sequential, "fail_on", strict, "shrink", shrink,
                                 nullptr);
            break;
        case format::gif:
            vips_gifload_buffer(bytes, size, &out, "access", sequential, "fail_on", strict, "n", frames,
                                nullptr);
            break;
        case format::webp:
            vips_webpload_buffer(bytes, size, &out, "access", sequential, "fail_on", strict, "n", frames,
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

// From whatever the picture's colours mean to sRGB. A profile that cannot be used is passed over: it spoils
// colours, not the picture.
bool to_srgb(image_ptr& image, VipsImage* original) {
    VipsImage* out = nullptr;
    const void* profile = nullptr;
    std::size_t size = 0;
    const bool has_profile = vips_image_get_typeof(original, VIPS_META_ICC_NAME) != 0 &&
                             vips_image_get_blob(original, VIPS_META_ICC_NAME, &profile, &size) == 0;
    if (has_profile) {
        vips_image_set_blob_copy(image.get(), VIPS_META_ICC_NAME, profile, size);
        if (vips_icc_transform(image.get(), &out, "srgb", "embedded", TRUE, nullptr) == 0) {
            image.reset(out);
            return true;
        }
        vips_error_clear();
        vips_image_remove(image.get(), VIPS_META_ICC_NAME);
    }
    if (image->Type == VIPS_INTERPRETATION_CMYK) {
        return step(image, vips_icc_transform(image.get(), &out, "srgb", "input_profile", "cmyk", nullptr),
                    out);
    }
    return true;
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

// Reads all of the picture and makes a PNG of exactly @p size, upright.
bool preview_of(image_ptr source, extent size, std::vector<char>& png) {
    VipsImage* const original = source.get();
    const int orientation = vips_image_get_orientation(original);
    const bool turned = vips_image_get_orientation_swap(original) != 0;
    // The original keeps its metadata while operations are put in front of it.
    g_object_ref(original);
    const image_ptr keep(original);
    if (!to_bytes(source)) return false;
    const auto bands = static_cast<unsigned>(source->Bands);
    const area_scaler::shape from{static_cast<std::uint32_t>(source->Xsize),
                                  static_cast<std::uint32_t>(source->Ysize)};
    const area_scaler::shape to{turned ? size.height : size.width, turned ? size.width : size.height};
    area_scaler scaler(from, to, bands, vips_image_hasalpha(source.get()) != 0);
    if (!for_each_row(source.get(), [&scaler](std::span<const std::uint8_t> row) { scaler.add_row(row); }))
        return false;

    const auto pixels = scaler.take();
    image_ptr raw(vips_image_new_from_memory(pixels.data(), pixels.size(), static_cast<int>(to.width),
                                             static_cast<int>(to.height), source->Bands, VIPS_FORMAT_UCHAR));
    if (!raw) return false;
    const auto type = bands < 3                                  ? VIPS_INTERPRETATION_B_W
                      : source->Type == VIPS_INTERPRETATION_CMYK ? VIPS_INTERPRETATION_CMYK
                                                                 : VIPS_INTERPRETATION_sRGB;
    VipsImage* out = nullptr;
    if (!step(raw, vips_copy(raw.get(), &out, "interpretation", type, nullptr), out)) return false;
    if (!to_srgb(raw, original)) return false;
    if (orientation != 1) {
        vips_image_set_int(raw.get(), VIPS_META_ORIENTATION, orientation);
        if (!step(raw, vips_autorot(raw.get(), &out, nullptr), out)) return false;
    }
    return write_png(raw.get(), is_flat(pixels, bands), png);
}

// The smallest decoding that still leaves twice the preview's pixels to average over. The entropy-coded
// data is read wholly at any scale, so damage is found all the same.
int jpeg_shrink(extent picture, extent preview) noexcept {
    for (const std::uint32_t factor : {8u, 4u, 2u}) {
        if (picture.width / factor >= 2 * preview.width && picture.height / factor >= 2 * preview.height) {
            return static_cast<int>(factor);
        }
    }
    return 1;
}

checked<header> read_header(format kind, std::string_view data, const limits& bounds) {
    // Before libvips sees them: where a few bytes can claim much.
    if (kind == format::png || kind == format::gif) {
        auto own = kind == format::png ? check_png(data) : check_gif(data);
        if (!own) return own;
        if (auto over = over_limit(kind, *own, bounds)) return std::move(*over);
        return own;
    }
    const auto image = open(kind, data, 1, 1);
    if (!image) return undecodable(kind);
    header h;
    h.width = static_cast<std::uint32_t>(image->Xsize);
    h.height = static_cast<std::uint32_t>(image->Ysize);
    if (kind == format::webp) h.frames = static_cast<std::uint32_t>(vips_image_get_n_pages(image.get()));
    h.pixels = std::uint64_t{h.width} * h.height * h.frames;
    if (auto over = over_limit(kind, h, bounds)) return std::move(*over);
    return h;
}

checked<decoded> inspect_vips(format kind, std::string_view data, const limits& bounds) {
    const auto h = read_header(kind, data, bounds);
    if (!h) return h.error();
    auto image = open(kind, data, 1, 1);
    if (!image) return undecodable(kind);

    decoded out;
    out.kind = kind;
    out.frames = h->frames;
    out.width = static_cast<std::uint32_t>(image->Xsize);
    out.height = static_cast<std::uint32_t>(image->Ysize);
    if (out.width != h->width || out.height != h->height)
        return damaged(kind, "its headers contradict each other");
    const bool turned = vips_image_get_orientation_swap(image.get()) != 0;
    if (turned) std::swap(out.width, out.height);
    out.preview_size = fit({out.width, out.height}, preview_side);

    if (kind == format::png && out.width <= preview_side && out.height <= preview_side) {
        out.preview_is_original = true;
        if (!for_each_row(image.get(), [](auto) {})) return undecodable(kind);
        return out;
    }
    if (kind == format::jpeg) {
        const int shrink = jpeg_shrink({out.width, out.height}, out.preview_size);
        if (shrink > 1) {
            image = open(kind, data, shrink, 1);
            if (!image) return undecodable(kind);
        }
    }
    if (!preview_of(std::move(image), out.preview_size, out.preview)) return undecodable(kind);
    if (out.frames > 1 && kind != format::png) {
        const auto all = open(kind, data, 1, -1);
        if (!all || !for_each_row(all.get(), [](auto) {})) return undecodable(kind);
    }
    return out;
}

checked<decoded> inspect_bitmap(format kind, std::string_view data, const checked<dib_layout>& layout,
                                const limits& bounds) {
    if (!layout) return layout.error();
    header h{layout->width, layout->height, 1, std::uint64_t{layout->width} * layout->height};
    if (auto over = over_limit(kind, h, bounds)) return std::move(*over);
    const auto pixels = decode_dib(data, *layout);
    if (!pixels) return pixels.error();
    image_ptr image(vips_image_new_from_memory(pixels->pixels.data(), pixels->pixels.size(),
                                               static_cast<int>(pixels->width),
                                               static_cast<int>(pixels->height), 4, VIPS_FORMAT_UCHAR));
    if (!image) return undecodable(kind);
    VipsImage* made = nullptr;
    constexpr auto colours = VIPS_INTERPRETATION_sRGB;
    if (!step(image, vips_copy(image.get(), &made, "interpretation", colours, nullptr), made) ||
        (!pixels->alpha && !step(image, vips_extract_band(image.get(), &made, 0, "n", 3, nullptr), made))) {
        return undecodable(kind);
    }
    decoded out;
    out.kind = kind;
    out.width = h.width;
    out.height = h.height;
    out.preview_size = fit({out.width, out.height}, preview_side);
    if (!preview_of(std::move(image), out.preview_size, out.preview)) return undecodable(kind);
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
        std::fprintf(stderr, "libvips does not start: %s\n", vips_error_buffer());
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
            std::fprintf(stderr, "no AVIF and HEIF: %s\n", g_module_error());
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
    return inspect_vips(kind, data, bounds);
}

}  // namespace gallery::imaging::worker
