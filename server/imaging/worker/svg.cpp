// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/svg.hpp"

#include "imaging/sniff.hpp"
#include "imaging/svg_metadata.hpp"
#include "imaging/worker/drawing.hpp"
#include "imaging/xml.hpp"

#include <librsvg/rsvg.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
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

std::string printable(std::string_view message) {
    std::string out;
    for (const char c : message.substr(0, 160))
        out.push_back(c >= ' ' && c < 0x7f ? c : ' ');
    while (!out.empty() && (out.back() == ' ' || out.back() == '.'))
        out.pop_back();
    return out;
}

// "Namespace prefix x for label on g is not defined" with the attribute or element that has the prefix.
std::string readable_reason(std::string_view text) {
    constexpr std::string_view prefix_mark = "Namespace prefix ";
    if (!text.starts_with(prefix_mark)) return printable(text);
    text.remove_prefix(prefix_mark.size());
    const auto prefix = text.substr(0, text.find(' '));
    return "the prefix \"" + printable(prefix) +
           "\" is used but not declared. Add an attribute xmlns:" + printable(prefix) +
           " to the <svg> element, or remove the names with this prefix";
}

// librsvg passes on two forms: "XML parse error: error code=201 (3) in (null):1:92: TEXT", and
// "XML parse error: Error domain 1 code 26 on line 7 column 1 of data: TEXT". Both as "line 7: TEXT"; other
// messages as they are.
std::string readable(std::string_view message) {
    constexpr std::string_view kind_mark = "XML parse error: ";
    struct form {
        std::string_view before_line;
        std::string_view before_text;
    };
    for (const auto& f : {form{"in (null):", ": "}, form{" on line ", " of data: "}}) {
        const auto place = message.find(f.before_line);
        if (place == message.npos) continue;
        const auto rest = message.substr(place + f.before_line.size());
        const auto line = rest.substr(0, rest.find_first_not_of("0123456789"));
        const auto text = rest.find(f.before_text);
        if (text == rest.npos) continue;
        return "line " + printable(line) + ": " + readable_reason(rest.substr(text + f.before_text.size()));
    }
    if (message.starts_with(kind_mark)) message.remove_prefix(kind_mark.size());
    return printable(message);
}

refusal unreadable(GError* error) {
    std::string text = "it cannot be read";
    if (error != nullptr) {
        text = readable(error->message);
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

// Nothing for what depends on the window.
std::optional<double> in_pixels(gboolean there, const RsvgLength& length) {
    constexpr double inch = 96;
    constexpr double em = 16;
    double factor = 0;
    switch (length.unit) {
        case RSVG_UNIT_PX:
            factor = 1;
            break;
        case RSVG_UNIT_EM:
            factor = em;
            break;
        case RSVG_UNIT_EX:
            factor = em / 2;
            break;
        case RSVG_UNIT_IN:
            factor = inch;
            break;
        case RSVG_UNIT_CM:
            factor = inch / 2.54;
            break;
        case RSVG_UNIT_MM:
            factor = inch / 25.4;
            break;
        case RSVG_UNIT_PT:
            factor = inch / 72;
            break;
        case RSVG_UNIT_PC:
            factor = inch / 6;
            break;
        case RSVG_UNIT_PERCENT:
            break;
    }
    const double value = length.length * factor;
    return there && usable(value) ? std::optional(value) : std::nullopt;
}

struct intrinsic {
    size css;             ///< in CSS pixels
    bool scales = false;  ///< librsvg fits the drawing into whatever it is drawn on
};

// What a browser shows the document at: its width and height; one missing side from the view box's ratio,
// else from CSS's 300 × 150 (CSS 2.2, 10.3.2 and 10.6.2); without both the view box's size.
intrinsic intrinsic_size(RsvgHandle* handle) {
    size s;
    if (rsvg_handle_get_intrinsic_size_in_pixels(handle, &s.width, &s.height) && usable(s.width) &&
        usable(s.height)) {
        return {s, true};
    }
    gboolean has_width = FALSE;
    gboolean has_height = FALSE;
    gboolean has_box = FALSE;
    RsvgLength width{};
    RsvgLength height{};
    RsvgRectangle box{};
    rsvg_handle_get_intrinsic_dimensions(handle, &has_width, &width, &has_height, &height, &has_box, &box);
    const auto own = in_pixels(has_width, width);
    const auto tall = in_pixels(has_height, height);
    if (!has_box || !usable(box.width) || !usable(box.height))
        return {{own.value_or(300), tall.value_or(150)}, false};
    if (own) return {{*own, *own * box.height / box.width}, true};
    if (tall) return {{*tall * box.width / box.height, *tall}, true};
    return {{box.width, box.height}, true};
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

bool render(RsvgHandle* handle, const intrinsic& own, extent target, std::vector<char>& png, GError** error) {
    const std::unique_ptr<cairo_surface_t, destroy> surface(cairo_image_surface_create(
        CAIRO_FORMAT_ARGB32, static_cast<int>(target.width), static_cast<int>(target.height)));
    const std::unique_ptr<cairo_t, destroy> context(cairo_create(surface.get()));
    RsvgRectangle viewport{0, 0, static_cast<double>(target.width), static_cast<double>(target.height)};
    if (!own.scales) {
        cairo_scale(context.get(), viewport.width / own.css.width, viewport.height / own.css.height);
        viewport.width = own.css.width;
        viewport.height = own.css.height;
    }
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
    if (const auto handle = parse(sample, nullptr))
        render(handle.get(), {{9, 9}, true}, {9, 9}, png, nullptr);
}

namespace {

constexpr int most_embedded = 256;  // pictures in one document, those in pictures included
constexpr int deepest = 4;          // drawings in drawings

struct embedding {
    const limits& bounds;
    int pictures = 0;
    bool incomplete = false;  ///< something was not drawn
};

checked<decoded> draw(std::string_view data, int depth, embedding& state);

checked<decoded> result_of(format kind, std::string_view content, int depth, embedding& state) {
    if (kind != format::svg) return inspect_raster(kind, content, state.bounds);
    if (depth >= deepest) return damaged(kind, "its drawings are nested too deeply");
    return draw(content, depth + 1, state);
}

// A picture within a drawing, as PNG where librsvg needs it so. It decodes PNG and JPEG itself, if they are
// called what they are.
std::optional<std::string> drawable(const data_url& url, int depth, embedding& state) {
    const auto kind = sniff(url.content).kind;
    if (url.base64 && (kind == format::png || kind == format::jpeg) && url.media_type == media_type(kind))
        return std::nullopt;
    state.incomplete = state.incomplete || kind == format::unknown || ++state.pictures > most_embedded;
    if (state.incomplete) return std::nullopt;
    auto inner = result_of(kind, url.content, depth, state);
    if (!inner) {
        state.incomplete = true;
        return std::nullopt;
    }
    if (inner->preview_is_original) return url.content;
    return std::string(inner->preview.begin(), inner->preview.end());
}

checked<decoded> draw(std::string_view data, int depth, embedding& state) {
    const bool wide = xml::is_utf16(data);
    const std::string converted = wide ? xml::utf8_from_utf16(data) : std::string();
    const std::string_view text = wide ? std::string_view(converted) : data;
    if (!in_svg_namespace(text)) {
        return refusal{
            protocol::outcome::damaged,
            "No browser can display the SVG image: its root element is not in the SVG namespace. Add "
            "xmlns=\"http://www.w3.org/2000/svg\" to the <svg> element."};
    }
    if (beyond_librsvg(text)) state.incomplete = true;
    auto changed =
        replace_pictures(text, [depth, &state](const data_url& url) { return drawable(url, depth, state); });
    // A changed document of UTF-16 would contradict its own declaration.
    const bool any = !wide && changed.size() != text.size();
    GError* error = nullptr;
    const auto handle = parse(any ? std::string_view(changed) : data, &error);
    if (!handle) return unreadable(error);
    constexpr double css_dots_per_inch = 96;
    rsvg_handle_set_dpi(handle.get(), css_dots_per_inch);
    // librsvg begins with 12 pixels.
    static constexpr std::string_view initial = ":root { font-size: 16px }";
    if (!has_font_size(text)) {
        rsvg_handle_set_stylesheet(handle.get(), reinterpret_cast<const guint8*>(initial.data()),
                                   initial.size(), nullptr);
    }
    const auto own = intrinsic_size(handle.get());
    decoded out;
    out.kind = format::svg;
    out.width = pixels(own.css.width);
    out.height = pixels(own.css.height);
    const auto metadata_free = read_svg_metadata(data).size_without;
    const auto side = depth > 0 || metadata_free > large_svg ? large_svg_side : preview_side;
    out.preview_size = scale_drawing(own.css.width, own.css.height, side);
    if (!render(handle.get(), own, out.preview_size, out.preview, &error)) return unreadable(error);
    return out;
}

}  // namespace

checked<decoded> inspect_svg(std::string_view data, const limits& bounds) {
    if (data.size() > bounds.max_svg_bytes) {
        return refusal{protocol::outcome::too_large,
                       "The SVG image is " + with_commas(data.size()) + " bytes long; at most " +
                           with_commas(bounds.max_svg_bytes) + " are accepted (IMAGE_MAX_SVG_SIZE)."};
    }
    embedding state{bounds};
    // Rendered even where the document is its own preview: what cannot be read is not accepted.
    auto out = draw(data, 0, state);
    if (!out) return out;
    auto metadata = read_svg_metadata(data);
    out->title = std::move(metadata.title).value_or("");
    if (state.incomplete || metadata.size_without < small_svg || data.size() <= out->preview.size()) {
        out->preview.clear();
        out->preview_is_original = true;
        out->preview_size = {out->width, out->height};
    }
    return out;
}

}  // namespace gallery::imaging::worker
