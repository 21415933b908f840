// SPDX-License-Identifier: Apache-2.0
/// What describes an image besides its bytes: in an answer of the server, in an export, and in the JSON file
/// beside a picture. Pure.
#pragma once

#include "admin/failure.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::admin {

/// Empty: not stated.
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
};

/// From a TbResourceInfo, a ResourceExportData or a file of sidecar_text(). Unknown members are ignored.
/// Failure: refused, for a member of another kind or with more than 1024 bytes, and for a `type` other than
/// IMAGE.
outcome<image_document> read_document(const boost::json::object& from);

/// The JSON file beside a picture: one member a line, always in the same order, so that version control shows
/// what has changed.
std::string sidecar_text(const image_document& about);

/// The body of an import. @p base64: the picture, as base64_encode() makes it: it is not escaped.
std::string import_text(const image_document& about, std::string_view base64);

/// The names of the members that an import would change in @p present; "picture" for the bytes. What @p
/// wanted does not state is not compared.
std::vector<std::string> differences(const image_document& wanted, const image_document& present);

/// The names of the members that differ and that an import over @p present does not change: the public key,
/// whose link may be in use, and the time of creation.
std::vector<std::string> fixed_differences(const image_document& wanted, const image_document& present);

/// The text of the member `data` of an export: the picture in Base64; empty where it is missing.
std::string_view data_of(const boost::json::object& from) noexcept;

/// Empty for what is not Base64. It may begin with "data:image/png;base64,", as old exports have it.
std::optional<std::string> decode_picture(std::string_view data);

/// Lower-case hexadecimal SHA-256.
std::string etag_of(std::string_view picture);

}  // namespace gallery::admin
