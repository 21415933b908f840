// SPDX-License-Identifier: Apache-2.0
/// Zip archives of images. Nothing of an archive is ever written to a file.
#pragma once

#include "admin/import_source.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gallery::admin {

/// Reads the directory of the archive and all JSON in it. Refused are archives that are damaged or cut off,
/// that have encrypted, overlapping or repeated entries or names that lead out of the archive, and entries
/// that expand to more than largest_file, or all together to more than 64 GiB. Failures: not_found, refused.
outcome<std::unique_ptr<import_source>> open_archive(const std::string& path);

/// Makes an archive of files of a folder: the same files make the same archive, byte for byte. What is at
/// @p path is replaced when the archive is complete, and only with @p overwrite. Failure: output.
outcome<> write_archive(const std::string& path, const std::string& folder, std::vector<std::string> names,
                        bool overwrite);

}  // namespace gallery::admin
