// SPDX-License-Identifier: Apache-2.0
/// The files of exported images, in folders and archives. Pure.
///
/// A picture is in a file with its key as the name, and a JSON file beside it has the same name with ".json"
/// behind it. A key is data: what a file system, a shell or version control could take for something else is
/// percent-encoded, and a name that is too long is cut and gets a hash. No two keys share a name.
///
/// Some file systems take names for the same that differ only in case, or in the spelling of a character
/// ("Ä" as one code point or as two). Where an export has several such keys, their capitals and all other
/// characters that are not ASCII are percent-encoded as well. A key in small letters keeps its name.
/// Otherwise the name depends on the key alone. An import does not depend on names: the key is in the JSON.
#pragma once

#include <gallery/model.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::images {

/// What describes an image besides its bytes. Empty: not stated.
struct image_document {
    std::string key;
    std::string title;
    std::string file_name;
    std::string sub_type;  ///< "IMAGE", "SCADA_SYMBOL"
    std::string media_type;
    std::string etag;  ///< SHA-256 of the bytes, lower-case hexadecimal
    std::string public_key;
    std::optional<bool> is_public;
    std::optional<std::vector<std::string>> tags;
    std::int64_t created_time = 0;  ///< milliseconds since 1970

    bool operator==(const image_document&) const = default;
};

/// Of a stored image: everything is stated.
image_document document_of(const image_record& record);

/// The JSON file beside a picture: one member a line, always in the same order, so that version control shows
/// what has changed.
std::string sidecar_text(const image_document& about);

/// The keys of an export that a file system may take for another one of them.
class similar_keys {
public:
    similar_keys() = default;
    /// @p keys: in any order; one may be there twice. Takes about two microseconds for each.
    explicit similar_keys(std::span<const std::string_view> keys);
    /// As if there were a similar key.
    static similar_keys of(std::string key);
    [[nodiscard]] bool contains(std::string_view key) const { return keys_.contains(key); }

private:
    std::set<std::string, std::less<>> keys_;
};

/// The name of the picture's file: never empty for a key, never hidden, and without a path.
std::string picture_file_name(std::string_view key, const similar_keys& similar = {});

inline constexpr std::string_view sidecar_ending = ".json";

/// Whether a file may be the JSON of an image.
bool is_sidecar_name(std::string_view name) noexcept;

/// A name for people, of a picture that is not to be imported again: @p name without what file systems do not
/// take, at most 200 bytes. @p n above 1 is written in front of the extension: "pump (2).svg".
std::string readable_file_name(std::string_view name, unsigned n = 1);

}  // namespace gallery::images
