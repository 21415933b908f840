// SPDX-License-Identifier: Apache-2.0
/// What describes an image besides its bytes: in an answer of the server, in an export, and in the JSON file
/// beside a picture. Pure.
#pragma once

#include "admin/failure.hpp"
#include "images/exported_files.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::admin {

using images::image_document;
using images::sidecar_text;

/// From a TbResourceInfo, a ResourceExportData or a file of sidecar_text(). Unknown members are ignored.
/// Failure: refused, for a member of another kind or with more than 1024 bytes, and for a `type` other than
/// IMAGE.
outcome<image_document> read_document(const boost::json::object& from);

/// The body of an import. @p base64: the picture, as base64_encode() makes it: it is not escaped.
std::string import_text(const image_document& about, std::string_view base64);

/// The names of the members that an import would change in @p present; "picture" for the bytes. What @p
/// wanted does not state is not compared.
std::vector<std::string> differences(const image_document& wanted, const image_document& present);

/// The names of the members that differ and that an import over @p present does not change: the public key,
/// whose link may be in use, and the time of creation.
std::vector<std::string> fixed_differences(const image_document& wanted, const image_document& present);

/// Makes @p about say what the gallery stores of @p picture: a drawing that is compressed as a whole (SVGZ)
/// is stored decompressed, with another etag and file name. Precondition: the etag is that of the picture.
void describe_as_stored(image_document& about, std::string_view picture);

/// The text of the member `data` of an export: the picture in Base64; empty where it is missing.
std::string_view data_of(const boost::json::object& from) noexcept;

/// Empty for what is not Base64. It may begin with "data:image/png;base64,", as old exports have it.
std::optional<std::string> decode_picture(std::string_view data);

/// Lower-case hexadecimal SHA-256.
std::string etag_of(std::string_view picture);

}  // namespace gallery::admin
