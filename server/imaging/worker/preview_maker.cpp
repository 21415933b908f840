// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/preview_maker.hpp"

#include <array>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace gallery::imaging::worker {
namespace {

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

}  // namespace

preview_maker::preview_maker(extent size, VipsImage* original)
    : original_(original), to_{size.width, size.height} {
    if (original == nullptr) return;
    orientation_ = vips_image_get_orientation(original);
    if (vips_image_get_orientation_swap(original) != 0) std::swap(to_.width, to_.height);
}

row_sink preview_maker::begin(const pixel_shape& from) {
    shape_ = from;
    scaler_.emplace(area_scaler::shape{from.width, from.height}, to_, from.bands, from.alpha);
    return [this](std::span<const std::uint8_t> row) { scaler_->add_row(row); };
}

bool preview_maker::finish(std::vector<char>& png) {
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

}  // namespace gallery::imaging::worker
