#include "imaging/worker/svg.hpp"

#include "imaging/svg_metadata.hpp"

#include <librsvg/rsvg.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

namespace gallery::imaging::worker {
namespace {

struct unref {
    void operator()(void* object) const noexcept { g_object_unref(object); }
};
struct destroy {
    void operator()(cairo_surface_t* s) const noexcept { cairo_surface_destroy(s); }
    void operator()(cairo_t* c) const noexcept { cairo_destroy(c); }
};

// "XML parse error: Error domain 1 code 26 on line 7 column 1 of data: Entity 'x' not defined" as
// "line 7: Entity 'x' not defined"; other messages as they are.
std::string readable(std::string_view message) {
    constexpr std::string_view line_mark = " on line ";
    constexpr std::string_view text_mark = " of data: ";
    std::string out;
    const auto line = message.find(line_mark);
    const auto text = message.find(text_mark);
    if (line != message.npos && text != message.npos && line < text) {
        const auto number = message.substr(line + line_mark.size(), text - line - line_mark.size());
        out = "line " + std::string(number.substr(0, number.find(' '))) + ": ";
        message.remove_prefix(text + text_mark.size());
    }
    for (const char c : message.substr(0, 160))
        out.push_back(c >= ' ' && c < 0x7f ? c : ' ');
    while (!out.empty() && (out.back() == ' ' || out.back() == '.'))
        out.pop_back();
    return out;
}

refusal unreadable(GError* error) {
    std::string text = "it cannot be read";
    if (error != nullptr) {
        text += " (" + readable(error->message) + ")";
        g_error_free(error);
    }
    return damaged(format::svg, text);
}

std::unique_ptr<RsvgHandle, unref> parse(std::string_view data, GError** error) {
    const std::unique_ptr<GInputStream, unref> stream(
        g_memory_input_stream_new_from_data(data.data(), static_cast<gssize>(data.size()), nullptr));
    return std::unique_ptr<RsvgHandle, unref>(
        rsvg_handle_new_from_stream_sync(stream.get(), nullptr, RSVG_HANDLE_FLAGS_NONE, nullptr, error));
}

struct size {
    double width = 0;
    double height = 0;
};

bool usable(double v) noexcept {
    return std::isfinite(v) && v > 0;
}

// What a browser shows the document at: its width and height, else its view box, one missing side from the
// view box's ratio; a drawing that says nothing has CSS's 300 × 150 (CSS 2.2, 10.3.2).
size intrinsic_size(RsvgHandle* handle) {
    size s;
    if (rsvg_handle_get_intrinsic_size_in_pixels(handle, &s.width, &s.height) && usable(s.width) &&
        usable(s.height)) {
        return s;
    }
    gboolean has_width = FALSE;
    gboolean has_height = FALSE;
    gboolean has_box = FALSE;
    RsvgLength width{};
    RsvgLength height{};
    RsvgRectangle box{};
    rsvg_handle_get_intrinsic_dimensions(handle, &has_width, &width, &has_height, &height, &has_box, &box);
    if (!has_box || !usable(box.width) || !usable(box.height)) return {300, 150};
    if (has_width && width.unit == RSVG_UNIT_PX && usable(width.length)) {
        return {width.length, width.length * box.height / box.width};
    }
    if (has_height && height.unit == RSVG_UNIT_PX && usable(height.length)) {
        return {height.length * box.width / box.height, height.length};
    }
    return {box.width, box.height};
}

std::uint32_t pixels(double v) noexcept {
    return static_cast<std::uint32_t>(
        std::clamp(std::round(v), 1.0, double{std::numeric_limits<std::int32_t>::max()}));
}

cairo_status_t append(void* closure, const unsigned char* data, unsigned int length) {
    auto& out = *static_cast<std::vector<char>*>(closure);
    out.insert(out.end(), data, data + length);
    return CAIRO_STATUS_SUCCESS;
}

bool render(RsvgHandle* handle, extent target, std::vector<char>& png, GError** error) {
    const std::unique_ptr<cairo_surface_t, destroy> surface(cairo_image_surface_create(
        CAIRO_FORMAT_ARGB32, static_cast<int>(target.width), static_cast<int>(target.height)));
    const std::unique_ptr<cairo_t, destroy> context(cairo_create(surface.get()));
    const RsvgRectangle viewport{0, 0, static_cast<double>(target.width), static_cast<double>(target.height)};
    if (!rsvg_handle_render_document(handle, context.get(), &viewport, error)) return false;
    cairo_surface_flush(surface.get());
    return cairo_surface_write_to_png_stream(surface.get(), append, &png) == CAIRO_STATUS_SUCCESS;
}

}  // namespace

void svg_start() {
    // Text in the usual families and styles, and an embedded PNG, make the libraries underneath read what
    // they read only once.
    static constexpr std::string_view sample =
        R"(<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">)"
        R"(<text font-family="sans-serif">a</text><text font-family="serif" font-weight="bold">b</text>)"
        R"(<text font-family="monospace" font-style="italic">c</text>)"
        R"(<image width="1" height="1" xlink:href="data:image/png;base64,)"
        R"(iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="/></svg>)";
    std::vector<char> png;
    if (const auto handle = parse(sample, nullptr)) render(handle.get(), {9, 9}, png, nullptr);
}

checked<decoded> inspect_svg(std::string_view data, const limits& bounds) {
    if (data.size() > bounds.max_svg_bytes) {
        return refusal{protocol::outcome::too_large,
                       "The SVG image is " + with_commas(data.size()) + " bytes large; at most " +
                           with_commas(bounds.max_svg_bytes) + " are accepted."};
    }
    GError* error = nullptr;
    const auto handle = parse(data, &error);
    if (!handle) return unreadable(error);
    constexpr double css_dots_per_inch = 96;
    rsvg_handle_set_dpi(handle.get(), css_dots_per_inch);
    const auto own = intrinsic_size(handle.get());
    auto metadata = read_svg_metadata(data);

    decoded out;
    out.kind = format::svg;
    out.width = pixels(own.width);
    out.height = pixels(own.height);
    out.preview_size = {out.width, out.height};
    out.title = std::move(metadata.title).value_or("");
    const auto side = metadata.size_without > large_svg ? large_svg_side : preview_side;
    const auto target = scale_drawing(own.width, own.height, side);
    // Rendered even where the document is its own preview: what cannot be drawn is not accepted.
    if (!render(handle.get(), target, out.preview, &error)) return unreadable(error);
    if (metadata.size_without < small_svg || data.size() <= out.preview.size()) {
        out.preview.clear();
        out.preview_is_original = true;
    } else {
        out.preview_size = target;
    }
    return out;
}

}  // namespace gallery::imaging::worker
