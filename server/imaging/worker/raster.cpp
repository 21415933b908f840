#include "imaging/worker/raster.hpp"

#include "imaging/worker/formats/dib.hpp"
#include "imaging/worker/formats/gif.hpp"
#include "imaging/worker/formats/ico.hpp"
#include "imaging/worker/formats/png.hpp"

#include <vips/vips.h>

#include <gmodule.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

namespace gallery::imaging::worker {
namespace {

struct unref {
    void operator()(VipsImage* image) const noexcept { g_object_unref(image); }
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

// Lets rows be read again that were read last: averaging has them read to the end or nearly, and then the
// end is looked at.
image_ptr keep_last_rows(image_ptr image) {
    VipsImage* out = nullptr;
    vips_linecache(image.get(), &out, "tile_height", 16, "access", VIPS_ACCESS_SEQUENTIAL, "persistent", TRUE,
                   nullptr);
    return image_ptr(out);
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
    if (out == nullptr) return nullptr;
    return keep_last_rows(image_ptr(out));
}

// Computes rows from @p top to the end and throws them away, so that errors in them are found.
bool drain(VipsImage* image, int top) {
    VipsRegion* region = vips_region_new(image);
    bool good = true;
    constexpr int strip = 64;
    for (int y = top; good && y < image->Ysize; y += strip) {
        const VipsRect area{0, y, image->Xsize, std::min(strip, image->Ysize - y)};
        good = vips_region_prepare(region, &area) == 0;
    }
    g_object_unref(region);
    return good;
}

bool has_profile(VipsImage* image) {
    return vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0;
}

// A thumbnail of exactly @p size in sRGB, 8 bits a channel, upright.
image_ptr thumbnail(VipsImage* image, extent size, bool use_profile) {
    VipsImage* raw = nullptr;
    const auto height = static_cast<int>(size.height);
    const auto width = static_cast<int>(size.width);
    const int failed = use_profile ? vips_thumbnail_image(image, &raw, width, "height", height, "size",
                                                          VIPS_SIZE_FORCE, "export_profile", "srgb", nullptr)
                                   : vips_thumbnail_image(image, &raw, width, "height", height, "size",
                                                          VIPS_SIZE_FORCE, nullptr);
    image_ptr small(raw);
    if (failed != 0) return nullptr;
    const auto wanted = small->Bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    if (small->Type != wanted || small->BandFmt != VIPS_FORMAT_UCHAR) {
        VipsImage* converted = nullptr;
        if (vips_colourspace(small.get(), &converted, wanted, nullptr) != 0) return nullptr;
        small.reset(converted);
        if (vips_cast_uchar(small.get(), &converted, nullptr) != 0) return nullptr;
        small.reset(converted);
    }
    return small;
}

bool write_png(VipsImage* image, std::vector<char>& out) {
    void* buffer = nullptr;
    std::size_t size = 0;
    if (vips_pngsave_buffer(image, &buffer, &size, "strip", TRUE, "compression", 6, nullptr) != 0)
        return false;
    const auto* first = static_cast<const char*>(buffer);
    out.assign(first, first + size);
    g_free(buffer);
    return true;
}

bool preview_of(VipsImage* image, extent size, std::vector<char>& out) {
    const auto small = thumbnail(image, size, has_profile(image));
    return small && write_png(small.get(), out);
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
        if (!drain(image.get(), 0)) return undecodable(kind);
        return out;
    }
    if (kind == format::jpeg) {
        const int shrink = jpeg_shrink({out.width, out.height}, out.preview_size);
        if (shrink > 1) {
            image = open(kind, data, shrink, 1);
            if (!image) return undecodable(kind);
        }
    }
    if (!preview_of(image.get(), out.preview_size, out.preview)) {
        if (!has_profile(image.get())) return undecodable(kind);
        // A broken colour profile spoils only the colours: once more without it.
        vips_error_clear();
        image = open(kind, data, 1, 1);
        if (!image) return undecodable(kind);
        vips_image_remove(image.get(), VIPS_META_ICC_NAME);
        const auto small = thumbnail(image.get(), out.preview_size, false);
        if (!small || !write_png(small.get(), out.preview)) return undecodable(kind);
    }
    // Averaging may not need the last rows; what is wrong with them must be found all the same.
    if (!drain(image.get(), image->Ysize - 1)) return undecodable(kind);
    if (out.frames > 1 && kind != format::png) {
        const auto all = open(kind, data, 1, -1);
        if (!all || !drain(all.get(), 0)) return undecodable(kind);
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
    VipsImage* typed = nullptr;
    if (vips_copy(image.get(), &typed, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr) != 0) {
        return undecodable(kind);
    }
    image.reset(typed);
    if (!pixels->alpha) {
        VipsImage* opaque = nullptr;
        if (vips_extract_band(image.get(), &opaque, 0, "n", 3, nullptr) != 0) return undecodable(kind);
        image.reset(opaque);
    }
    decoded out;
    out.kind = kind;
    out.width = h.width;
    out.height = h.height;
    out.preview_size = fit({out.width, out.height}, preview_side);
    if (!preview_of(image.get(), out.preview_size, out.preview)) return undecodable(kind);
    return out;
}

checked<decoded> inspect_icon(std::string_view data, const limits& bounds) {
    const auto entry = largest_icon_entry(data);
    if (!entry) return entry.error();
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
