// SPDX-License-Identifier: Apache-2.0
/// Pictures and links to images in JSON documents, such as the dashboards and widgets of ThingsBoard. Pure
/// functions; any thread.
///
/// A string is an embedded picture if the whole of it has one of these forms:
///
///     data:image/<type>[;<parameter>...];base64,<data>
///     tb-image;data:image/<type>[;<parameter>...];base64,<data>
///     tb-image:<key>:<title>[:<subType>[:<etag>]];data:<type>[;<parameter>...];base64,<data>
///
/// ThingsBoard writes the third form when it exports. There <key>, <title> and <subType> are in Base64, and
/// the data may be empty if there is an etag. A string is a link to an image if the whole of it has this
/// form, with the key as it is:
///
///     tb-image;/api/images/{tenant|system}/<key>[/preview]
///
/// Pictures inside longer strings (CSS, HTML, scripts) are not touched: a link of these forms has no meaning
/// there. Neither are pictures in other encodings, and names of members.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/sha256.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::images {

/// How many different pictures, and how many different links, one document may have.
inline constexpr std::size_t max_document_images = 1000;

/// How many places all of these may have together. A link can be longer than the picture that it replaces, so
/// that this bounds how much a document grows.
inline constexpr std::size_t max_document_places = 10'000;

/// A string that is replaced: [begin, end) of the text, with the quotation marks.
struct document_place {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t item = 0;  ///< index of the picture or link
};

struct embedded_picture {
    std::string path;       ///< JSON Pointer to its first place
    std::size_t count = 0;  ///< places
    bytes data;             ///< empty: only the digest is known
    sha256_digest digest{};
    std::string key;        ///< from the document; empty if it has none or no valid one
    std::string file_name;  ///< valid; made of the document's title and the member's name where key is empty
    std::string title;      ///< valid; likewise
    std::optional<image_sub_type> sub_type;
};

enum class left_reason : std::uint8_t {
    in_text,       ///< a picture inside a longer string
    not_base64,    ///< in another encoding
    unknown_etag,  ///< without its data, and no image has the etag
};

/// Something that looks like a picture and stays as it is.
struct left_picture {
    std::string path;
    left_reason reason = left_reason::in_text;
};

struct document_pictures {
    std::vector<embedded_picture> pictures;  ///< each content once, in the order of the first places
    std::vector<document_place> places;      ///< in the order of the text
    std::vector<left_picture> left;          ///< the first max_left_pictures
    static constexpr std::size_t max_left_pictures = 100;
};

/// Whether a picture may have so many bytes.
using picture_size_check = std::function<result<void>(std::uint64_t size)>;

/// Finds and decodes the embedded pictures. Errors: invalid_argument if @p text is not JSON or a picture is
/// not valid Base64; that of @p check, with the picture's path; too_large for more than max_document_images
/// pictures or max_document_places places.
result<document_pictures> find_pictures(std::string_view text, const picture_size_check& check);

struct document_link {
    std::string link;        ///< the path, "/api/images/..."
    bool is_system = false;  ///< "system" and not "tenant"
    std::string key;
    bool is_preview = false;
    std::size_t count = 0;  ///< places
};

struct document_links {
    std::vector<document_link> links;    ///< each once, in the order of the first places
    std::vector<document_place> places;  ///< in the order of the text
};

/// Errors: invalid_argument if @p text is not JSON, too_large for more than max_document_images links or
/// max_document_places places.
result<document_links> find_links(std::string_view text);

/// The string with its quotation marks that links to the image at @p link, a path.
std::string link_literal(std::string_view link);

/// The beginning of the string, with its quotation mark, that embeds an image in ThingsBoard's form. The data
/// in Base64 and a quotation mark follow. No character in it needs an escape.
std::string embedded_head(const image_record& record, representation which);

/// Appends @p text to @p out with other strings at @p places, which are in the order of the text and do not
/// overlap. @p write appends the string for an item, with its quotation marks, or returns false to leave it.
void replace_strings(std::string_view text, std::span<const document_place> places,
                     const std::function<bool(std::size_t item, std::string& out)>& write, std::string& out);

}  // namespace gallery::images
