// SPDX-License-Identifier: Apache-2.0
/// The system calls of the kit, and the replacement of a small file.
#pragma once

#include <gallery/kit/files.hpp>

#include <string>
#include <string_view>

namespace gallery::file_store {

using namespace kit::files;  // NOLINT: they are this engine's vocabulary

/// Writes a small file atomically: temporary name in @p folder, sync, rename, sync of the folder.
result<> replace_file(int at, const std::string& folder, const std::string& name, std::string_view content);

}  // namespace gallery::file_store
