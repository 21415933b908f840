// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/vips_image.hpp"

#include <gmodule.h>

#include <cstdio>
#include <string>

namespace gallery::imaging::worker {
namespace {

// libvips' message about the last failure: its first line, printable, at most 160 characters.
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

}  // namespace

refusal undecodable(format kind) {
    const auto words = vips_words();
    return damaged(kind, words.empty() ? "the decoder failed without a message"
                                       : "the decoder reports \"" + words + "\"");
}

image_ptr open_image(format kind, std::string_view data, double scale) {
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

}  // namespace gallery::imaging::worker
