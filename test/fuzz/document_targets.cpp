// SPDX-License-Identifier: Apache-2.0
#include "document_targets.hpp"

#include "auth/jwt.hpp"
#include "config/load.hpp"
#include "config/payload_limits.hpp"
#include "config/substitute.hpp"
#include "exact.hpp"
#include "images/embedded_pictures.hpp"
#include "images/json_strings.hpp"
#include "images/picture_decoder.hpp"
#include "images/resource_export.hpp"
#include "imaging/sniff.hpp"
#include "imaging/svg_metadata.hpp"
#include "imaging/worker/formats/dib.hpp"
#include "imaging/worker/formats/gif.hpp"
#include "imaging/worker/formats/ico.hpp"
#include "imaging/worker/formats/png.hpp"
#include "imaging/xml.hpp"

#include <gallery/encode.hpp>
#include <gallery/text.hpp>

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gallery::fuzz {

namespace {

result<images::resource_export> read_import(std::string_view input, std::size_t piece) {
    images::resource_export_reader reader(input.size());
    for (std::size_t at = 0; at < input.size(); at += piece) {
        const exact now(input.substr(at, piece));
        if (auto fed = reader.feed(now.view()); !fed) return fed.error();
    }
    return reader.finish();
}

void same_import(const result<images::resource_export>& a, const result<images::resource_export>& b,
                 std::string_view input) {
    hold(a.has_value() == b.has_value(), "an import does not depend on how it arrives", input);
    if (!a) {
        hold(a.error().code == b.error().code, "its refusal neither", input);
        return;
    }
    hold(a->title == b->title && a->resource_key == b->resource_key && a->file_name == b->file_name &&
             a->public_key == b->public_key && a->is_public == b->is_public && a->sub_type == b->sub_type &&
             a->media_type == b->media_type && a->data == b->data && a->digest == b->digest &&
             a->digest == sha256(a->data),
         "its content neither", input);
}

/// Nothing where the text is no Base64.
std::optional<std::vector<char>> decode(std::string_view input, std::size_t piece) {
    images::picture_decoder decoder;
    std::vector<char> out;
    for (std::size_t at = 0; at < input.size(); at += piece) {
        const exact now(input.substr(at, piece));
        if (!decoder.feed(now.view(), out)) return std::nullopt;
    }
    if (!decoder.finish(out)) return std::nullopt;
    return out;
}

/// Everything that Boost.JSON's parser reports of a text, in order: structure, names, numbers as they are
/// written, and the values that are strings.
struct json_events {
    static constexpr std::size_t max_object_size = 0x7ffffffe;
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;
    using error_code = boost::json::error_code;
    using text = boost::json::string_view;

    std::vector<std::string> all;      ///< with "s" for each value that is a string
    std::vector<std::string> strings;  ///< these values
    std::string part;

    std::string whole(text last) {
        auto out = std::exchange(part, {});
        out.append(last.data(), last.size());
        return out;
    }
    bool note(std::string what) {
        all.push_back(std::move(what));
        return true;
    }
    bool more(text piece) {
        part.append(piece.data(), piece.size());
        return true;
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return note("{"); }
    bool on_object_end(std::size_t, error_code&) { return note("}"); }
    bool on_array_begin(error_code&) { return note("["); }
    bool on_array_end(std::size_t, error_code&) { return note("]"); }
    bool on_key_part(text piece, std::size_t, error_code&) { return more(piece); }
    bool on_key(text last, std::size_t, error_code&) { return note("k" + whole(last)); }
    bool on_string_part(text piece, std::size_t, error_code&) { return more(piece); }
    bool on_string(text last, std::size_t, error_code&) {
        strings.push_back(whole(last));
        return note("s");
    }
    bool on_number_part(text piece, error_code&) { return more(piece); }
    bool on_int64(std::int64_t, text last, error_code&) { return note("n" + whole(last)); }
    bool on_uint64(std::uint64_t, text last, error_code&) { return note("n" + whole(last)); }
    bool on_double(double, text last, error_code&) { return note("n" + whole(last)); }
    bool on_bool(bool value, error_code&) { return note(value ? "t" : "f"); }
    bool on_null(error_code&) { return note("0"); }
    bool on_comment_part(text, error_code&) { return true; }
    bool on_comment(text, error_code&) { return true; }
};

/// Empty where it is not JSON.
std::optional<json_events> events_of(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = images::max_json_depth;
    boost::json::basic_parser<json_events> parser(options);
    boost::json::error_code failed;
    const auto used = parser.write_some(false, text.data(), text.size(), failed);
    if (failed || text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) return std::nullopt;
    return std::move(parser.handler());
}

/// Which strings of the walk are at @p places.
std::vector<std::optional<std::size_t>> items_of(std::string_view text,
                                                 const std::vector<images::document_place>& places) {
    std::vector<std::optional<std::size_t>> out;
    images::json_strings strings(text);
    auto next = places.begin();
    while (strings.next()) {
        out.emplace_back();
        if (next == places.end() || next->begin != strings.begin()) continue;
        hold(next->end == strings.end(), "a place is a whole string", text);
        out.back() = (next++)->item;
    }
    hold(next == places.end(), "every place is a string, in order", text);
    return out;
}

/// Replaces the strings at @p places, and compares the events with those of the original.
void only_places_change(std::string_view text, const json_events& before,
                        const std::vector<images::document_place>& places, std::string_view input) {
    const auto items = items_of(text, places);
    hold(items.size() == before.strings.size(), "every string is found", input);
    const auto link = [](std::size_t item) { return "/api/images/tenant/\"" + std::to_string(item); };
    const auto write = [&link](std::size_t item, std::string& out) {
        out += images::link_literal(link(item));
        return true;
    };
    std::string replaced;
    images::replace_strings(text, places, write, replaced);
    const auto after = events_of(replaced);
    hold(after && after->all == before.all, "all but strings stays", input);
    for (std::size_t i = 0; i < items.size(); ++i) {
        hold(after->strings[i] == (items[i] ? "tb-image;" + link(*items[i]) : before.strings[i]),
             "a string stays, or becomes a link", input);
    }
}

void bitmap(std::string_view data, const imaging::worker::checked<imaging::worker::dib_layout>& layout,
            std::string_view input) {
    // As the worker does it, with a smaller limit.
    constexpr imaging::worker::limits bounds{1 << 16, 1, 0};
    if (!layout) return;
    const auto pixels = std::uint64_t{layout->width} * layout->height;
    if (over_limit(layout->owner, {layout->width, layout->height, 1, pixels}, bounds)) return;
    const auto image = imaging::worker::decode_dib(data, *layout);
    if (!image) return;
    hold(image->pixels.size() == std::size_t{image->width} * image->height * 4, "a bitmap has its pixels",
         input);
}

}  // namespace

void import_document(std::string_view input) {
    const auto whole = read_import(input, input.size() + 1);
    same_import(whole, read_import(input, 1), input);
    same_import(whole, read_import(input, 7), input);
    if (!whole) return;
    for (const auto& text : {whole->title, whole->resource_key, whole->file_name, whole->public_key})
        hold(is_utf8(text), "texts are UTF-8", input);
}

void pictures_in_json(std::string_view input) {
    const exact text(input);
    const auto events = events_of(text.view());
    hold(events.has_value() == images::check_json(text.view()).has_value(), "what JSON is", input);
    if (!events) {
        hold(images::find_links(text.view()).has_error(), "nothing is found in what is not JSON", input);
        return;
    }
    std::size_t at = 0;
    images::json_strings strings(text.view());
    while (strings.next()) {
        hold(at < events->strings.size() && images::unescape(strings.literal()) == events->strings[at++],
             "strings are found in their order", input);
        hold(is_utf8(strings.path()), "a path is a text", input);
    }
    hold(at == events->strings.size(), "every string is found", input);

    const auto links = images::find_links(text.view());
    if (links) only_places_change(text.view(), *events, links->places, input);
    const auto pictures = images::find_pictures(text.view(), [](std::uint64_t) { return result<void>(); });
    if (!pictures) return;
    only_places_change(text.view(), *events, pictures->places, input);
    for (const auto& each : pictures->pictures) {
        hold(each.data.empty() || each.digest == sha256(each.data.span()), "a picture has its digest", input);
        hold(is_utf8(each.title) && is_utf8(each.file_name) && !each.title.empty() && !each.file_name.empty(),
             "a picture has names", input);
    }
}

void token(std::string_view input) {
    static const auth::token_codec codec(std::string(64, 'k'), "thingsboard.io");
    const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
    const exact text(input);
    hold(codec.verify(text.view(), now).has_error(), "nobody else can sign", input);

    const std::string signed_part = base64url_encode(R"({"alg":"HS512"})") + '.' + base64url_encode(input);
    const std::string made = signed_part + '.' + base64url_encode(codec.mac(signed_part));
    const auto claims = codec.verify(made, now);
    if (!claims) return;
    hold(is_utf8(claims->email) && is_utf8(claims->session), "claims are UTF-8", input);
    const auto again = codec.verify(codec.sign(*claims), now);
    hold(again && again->email == claims->email && again->user == claims->user &&
             again->kind == claims->kind && again->session == claims->session &&
             again->expires_at == claims->expires_at,
         "what was read can be written", input);
}

void base64(std::string_view input) {
    std::string encoded;
    append_base64({input.data(), input.size()}, encoded);
    const auto back = decode(encoded, 5);
    hold(back && std::equal(back->begin(), back->end(), input.begin(), input.end()), "encoding is undone",
         input);
    const auto whole = decode(input, input.size() + 1);
    hold(whole == decode(input, 1) && whole == decode(input, 3), "it does not depend on how it arrives",
         input);
    const exact text(input);
    for (const auto& decoded : {base64_decode(text.view()), base64url_decode(text.view())})
        hold(!decoded || decoded->size() <= input.size(), "decoding makes it shorter", input);
    if (const auto decoded = base64url_decode(text.view()))
        hold(base64url_encode(*decoded) == input, "there is one spelling", input);
}

void configuration(std::string_view input) {
    const auto environment = [](const std::string& name) -> std::optional<std::string> {
        if (name == "SET") return "1";
        return std::nullopt;
    };
    const exact text(input);
    if (const auto loaded = config::load_text(text.view(), "file", environment); !loaded)
        hold(!loaded.error().message.empty(), "a refusal says why", input);
    (void)config::substitute(text.view(), environment);
    const auto line = text.view().find('\n');
    const auto first = text.view().substr(0, line);
    const auto second = line == std::string_view::npos ? std::string_view() : text.view().substr(line + 1);
    (void)config::ant_match(first, second);
    if (const auto limits = config::payload_limits::parse(first)) (void)limits->limit(second);
}

void picture(std::string_view input) {
    using namespace imaging;
    using namespace imaging::worker;
    const exact text(input);
    const auto found = sniff(text.view());
    hold(!found.looks_like.empty(), "everything looks like something", input);
    constexpr std::uint64_t few_pixels = 100'000;
    const auto nowhere = [](std::span<const std::uint8_t>) {};
    if (const auto gif = read_gif(text.view()); gif && gif->head.frame_pixels < few_pixels)
        (void)decode_gif(text.view(), *gif, nowhere);
    if (const auto png = read_png(text.view()); png && png->head.frame_pixels < few_pixels)
        (void)decode_png(*png, nowhere);
    bitmap(text.view(), read_bmp_layout(text.view()), input);
    bitmap(text.view(), read_icon_layout(text.view()), input);
    if (const auto entry = largest_icon_entry(text.view())) {
        hold(inside(entry->data, text.view()), "an entry is inside", input);
        if (!entry->is_png) bitmap(entry->data, read_icon_layout(entry->data), input);
    }
}

void svg(std::string_view input) {
    using namespace imaging;
    const exact text(input);
    const auto metadata = read_svg_metadata(text.view());
    hold(metadata.present || metadata.size_without == input.size(), "nothing is left out", input);
    hold(metadata.size_without <= input.size(), "the rest is a part", input);
    (void)json_title(text.view());
    (void)xml::unescape(text.view());
    (void)xml::find_root(text.view());
    if (xml::is_utf16(text.view())) (void)xml::utf8_from_utf16(text.view());
    xml::tokens all(text.view());
    std::size_t end = 0;
    for (auto one = all.next(); one.kind != xml::token::type::end; one = all.next()) {
        hold(one.begin >= end && one.end > one.begin && one.end <= input.size(), "tokens go on", input);
        hold(inside(one.name, text.view()) && inside(one.content, text.view()), "a token is inside", input);
        end = one.end;
    }
}

}  // namespace gallery::fuzz
