// SPDX-License-Identifier: Apache-2.0
#include "images/embedded_pictures.hpp"

#include "images/json_strings.hpp"
#include "images/keys.hpp"
#include "imaging/sniff.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>
#include <gallery/media_type.hpp>
#include <gallery/sub_type.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace gallery::images {
namespace {

constexpr std::string_view link_prefix = "tb-image;";
constexpr std::string_view metadata_prefix = "tb-image:";
constexpr std::string_view preview_suffix = "/preview";

/// Longer than everything in front of the data: two names of 255 characters in Base64, a digest, parameters.
constexpr std::size_t max_head_bytes = 4096;
/// Longer than a link with a key of 255 characters.
constexpr std::size_t max_link_bytes = 2048;

bool begins_ignoring_case(std::string_view text, std::string_view lower) noexcept {
    return equals_ignoring_case(text.substr(0, lower.size()), lower);
}

/// Most strings are none of what is looked for: their first character tells.
bool may_matter(std::string_view literal) noexcept {
    if (literal.size() < link_prefix.size()) return false;
    const char first = literal.front();
    return first == 't' || first == 'd' || first == 'D' || first == '\\';
}

/// What the part of a string in front of the data says.
struct head {
    enum class form : std::uint8_t { other, picture, not_base64 };
    form is = form::other;
    std::string media_type;  ///< lower case
    std::string key;
    std::string title;
    std::optional<image_sub_type> sub_type;
    std::optional<sha256_digest> etag;
};

void read_metadata(std::string_view metadata, head& out) {
    std::array<std::string_view, 4> parts;
    for (auto& part : parts) {
        const auto colon = metadata.find(':');
        part = metadata.substr(0, colon);
        if (colon == std::string_view::npos) break;
        metadata.remove_prefix(colon + 1);
    }
    // A name that is not valid counts as missing, since a name is no reason to refuse a picture.
    out.key = base64_decode(parts[0]).value_or("");
    if (!check_name(out.key, "key")) out.key.clear();
    out.title = base64_decode(parts[1]).value_or("");
    if (!check_text(out.title, "title")) out.title.clear();
    if (const auto name = base64_decode(parts[2])) out.sub_type = sub_types.find(*name);
    out.etag = parse_sha256(parts[3]);
}

/// @p text is everything in front of the first comma.
head read_head(std::string_view text) {
    head out;
    bool is_declared = false;  // as an image, by what stands in front of the data: URL
    if (text.starts_with(metadata_prefix)) {
        const auto end = text.find(';');
        if (end == std::string_view::npos) return out;
        read_metadata(text.substr(metadata_prefix.size(), end - metadata_prefix.size()), out);
        text.remove_prefix(end + 1);
        is_declared = true;
    } else if (text.starts_with(link_prefix)) {
        text.remove_prefix(link_prefix.size());
    }
    if (!begins_ignoring_case(text, is_declared ? "data:" : "data:image/")) return out;
    text.remove_prefix(5);
    out.media_type = ascii_lower(text.substr(0, text.find(';')));
    out.is = ends_with_ignoring_case(text, ";base64") ? head::form::picture : head::form::not_base64;
    return out;
}

/// Takes the head off @p text, and leaves in @p data what of the current piece follows it.
head take_head(unescaped_text& text, std::string_view& data) {
    std::string so_far;
    for (auto piece = text.next(); !piece.empty(); piece = text.next()) {
        const auto comma = piece.find(',');
        const auto part = piece.substr(0, comma);
        if (so_far.size() + part.size() > max_head_bytes) break;
        so_far += part;
        if (comma == std::string_view::npos) continue;
        data = piece.substr(comma + 1);
        return read_head(so_far);
    }
    return {};
}

error too_many_places(std::string_view what) {
    return {errc::too_large, "The document has " + std::string(what) + " in more than " +
                                 std::to_string(max_document_places) + " places. Split it."};
}

error at_path(const std::string& path, errc code, std::string_view why) {
    return {code, "The picture at '" + path + "' of the document " + std::string(why)};
}

class picture_finder {
public:
    picture_finder(std::string_view text, const picture_size_check& check) : strings_(text), check_(check) {}

    result<document_pictures> run() {
        while (strings_.next()) {
            const auto literal = strings_.literal();
            if (strings_.depth() == 1) note_title(literal);
            if (!may_matter(literal)) {
                note_inner(literal);
                continue;
            }
            unescaped_text text(literal);
            std::string_view data;
            auto what = take_head(text, data);
            if (what.is == head::form::other) {
                note_inner(literal);
            } else if (what.is == head::form::not_base64) {
                leave(left_reason::not_base64);
            } else if (auto taken = take(std::move(what), text, data); !taken) {
                return taken.error();
            }
        }
        for (std::size_t i = 0; i < out_.pictures.size(); ++i)
            name(out_.pictures[i], origins_[i]);
        return std::move(out_);
    }

private:
    /// What names are made of where the document has none.
    struct origin {
        std::string member;
        std::string media_type;
    };

    void note_title(std::string_view literal) {
        const auto name = strings_.name();
        // "title" of a dashboard is more than "name", which entities have as well.
        if (name == "title" || (name == "name" && title_.empty())) title_ = unescape(literal, 400);
    }

    /// A picture inside a longer text. The escape of a slash is the only one that is usual there.
    void note_inner(std::string_view literal) {
        for (auto at = literal.find("data:image"); at != std::string_view::npos;
             at = literal.find("data:image", at + 1)) {
            const auto behind = literal.substr(at + 10, 80);
            if (!behind.starts_with('/') && !behind.starts_with("\\/")) continue;
            return leave(left_reason::in_text);
        }
    }

    void leave(left_reason why) {
        if (out_.left.size() < document_pictures::max_left_pictures)
            out_.left.push_back({strings_.path(), why});
    }

    result<void> take(head what, unescaped_text& text, std::string_view first) {
        std::vector<char> data;
        data.reserve(strings_.literal().size() / 4 * 3);
        base64_reader reader;
        bool is_valid = reader.feed(first, data);
        for (auto piece = text.next(); is_valid && !piece.empty(); piece = text.next())
            is_valid = reader.feed(piece, data);
        if (!is_valid || !reader.finish(data))
            return at_path(strings_.path(), errc::invalid_argument,
                           "is not valid Base64. Correct it or remove it, and send the document again.");
        if (const auto small = check_(data.size()); !small)
            return at_path(strings_.path(), small.error().code, "is refused. " + small.error().message);
        if (data.empty() && !what.etag)
            return at_path(strings_.path(), errc::invalid_argument,
                           "is empty. Remove it, and send the document again.");
        // The etag of a document is only a claim, so that it is used only where there is no data.
        const auto digest = data.empty() ? *what.etag : sha256(data);
        const auto [known, is_new] = index_.try_emplace(digest, out_.pictures.size());
        if (is_new) {
            if (out_.pictures.size() == max_document_images)
                return error{errc::too_large, "The document has more than " +
                                                  std::to_string(max_document_images) +
                                                  " different pictures. Split it."};
            auto& made = out_.pictures.emplace_back();
            made.path = strings_.path();
            made.digest = digest;
            made.key = std::move(what.key);
            made.title = std::move(what.title);
            made.sub_type = what.sub_type;
            origins_.push_back({unescape(strings_.name(), 100), std::move(what.media_type)});
        }
        auto& picture = out_.pictures[known->second];
        if (picture.data.empty()) picture.data = bytes::own(std::move(data));
        ++picture.count;
        if (out_.places.size() == max_document_places) return too_many_places("pictures");
        out_.places.push_back({strings_.begin(), strings_.end(), known->second});
        return {};
    }

    /// As ThingsBoard names them: the title from where the picture was, the file name from the title.
    void name(embedded_picture& picture, const origin& from) const {
        if (picture.title.empty()) {
            auto title = title_;
            if (!title.empty() && !from.member.empty()) title += ' ';
            title += from.member;
            title = first_characters(title, max_name_characters);
            picture.title = check_text(title, "title") ? std::move(title) : "picture";
        }
        picture.file_name = picture.key.empty() ? file_name(picture, from) : picture.key;
    }

    static std::string file_name(const embedded_picture& picture, const origin& from) {
        std::string stem;
        for (const char c : picture.title) {
            const char low = ascii_lower(c);
            const bool is_letter = is_ascii_alphanumeric(low) || (low & 0x80) != 0;
            if (is_letter) {
                stem += low;
            } else if (c != '\'' && c != '"' && !stem.empty() && stem.back() != '_') {
                stem += '_';
            }
        }
        while (stem.ends_with('_'))
            stem.pop_back();
        stem = first_characters(stem, max_name_characters - 10);
        if (stem.empty()) stem = "picture";
        // What the bytes are decides; the declared type is for those that only a decoder recognises.
        auto extension = extension_of(imaging::media_type(imaging::sniff(picture.data.view()).kind));
        if (extension.empty()) extension = extension_of(from.media_type);
        if (!extension.empty()) stem.append(".").append(extension);
        return stem;
    }

    json_strings strings_;
    const picture_size_check& check_;
    document_pictures out_;
    std::vector<origin> origins_;  // of out_.pictures
    std::unordered_map<sha256_digest, std::size_t, digest_hash> index_;
    std::string title_;
};

std::optional<document_link> read_link(std::string_view literal) {
    if (!may_matter(literal) || literal.size() > 6 * max_link_bytes) return std::nullopt;
    const auto text = unescape(literal);
    if (text.size() > max_link_bytes || !text.starts_with(link_prefix)) return std::nullopt;
    document_link out;
    out.link = text.substr(link_prefix.size());
    auto rest = std::string_view(out.link);
    if (!rest.starts_with(images_path)) return std::nullopt;
    rest.remove_prefix(images_path.size());
    if (rest.starts_with("system/")) {
        out.is_system = true;
    } else if (!rest.starts_with("tenant/")) {
        return std::nullopt;
    }
    rest.remove_prefix(7);
    out.is_preview = rest.ends_with(preview_suffix);
    if (out.is_preview) rest.remove_suffix(preview_suffix.size());
    if (!check_name(rest, "key")) return std::nullopt;
    out.key = rest;
    return out;
}

}  // namespace

result<document_pictures> find_pictures(std::string_view text, const picture_size_check& check) {
    if (auto checked = check_json(text); !checked) return checked.error();
    return picture_finder(text, check).run();
}

result<document_links> find_links(std::string_view text) {
    if (auto checked = check_json(text); !checked) return checked.error();
    document_links out;
    std::unordered_map<std::string, std::size_t> index;
    json_strings strings(text);
    while (strings.next()) {
        auto link = read_link(strings.literal());
        if (!link) continue;
        const auto [known, is_new] = index.try_emplace(link->link, out.links.size());
        if (is_new) {
            if (out.links.size() == max_document_images)
                return error{errc::too_large, "The document has more than " +
                                                  std::to_string(max_document_images) +
                                                  " links to different images. Split it."};
            out.links.push_back(std::move(*link));
        }
        ++out.links[known->second].count;
        if (out.places.size() == max_document_places) return too_many_places("links");
        out.places.push_back({strings.begin(), strings.end(), known->second});
    }
    return out;
}

std::string link_literal(std::string_view link) {
    return boost::json::serialize(boost::json::string_view(std::string(link_prefix).append(link)));
}

std::string embedded_head(const image_record& record, representation which) {
    std::string out = "\"";
    out += metadata_prefix;
    out += base64_encode(record.key);
    out += ':';
    out += base64_encode(record.title);
    out += ':';
    out += base64_encode(sub_types.name_of(record.sub_type));
    out += ";data:";
    out += record.descriptor(which).media_type;
    out += ";base64,";
    return out;
}

void replace_strings(std::string_view text, std::span<const document_place> places,
                     const std::function<bool(std::size_t item, std::string& out)>& write, std::string& out) {
    std::size_t done = 0;
    for (const auto& place : places) {
        out += text.substr(done, place.begin - done);
        done = place.begin;
        if (write(place.item, out)) done = place.end;
    }
    out += text.substr(done);
}

}  // namespace gallery::images
