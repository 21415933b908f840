// SPDX-License-Identifier: Apache-2.0
/// A body in a file, compared with its description.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/kit/open_files.hpp>
#include <gallery/model.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace gallery::kit {

/// Below this an engine keeps a body in memory, from this on as an open file that the server sends with
/// sendfile.
inline constexpr std::uint64_t smallest_region = 32 * 1024;

enum class read_purpose : std::uint8_t {
    serve,  ///< the engine keeps it
    copy,   ///< the engine does not keep it
    check,  ///< likewise, from the disk as far as the kernel permits
};

struct verified_body {
    body content;
    file_state state;  ///< before it was read; for open_files::put()
};

/// Reads the whole file and compares its size and hash with @p wanted. The content is a region of the file,
/// or in memory if it has fewer than @p from bytes. Blocks. Errors: corrupt with only the fault as its
/// message ("ends too early"); those of reading, with @p name.
result<verified_body> read_verified(std::shared_ptr<const file_handle> file, const body_descriptor& wanted,
                                    std::uint64_t from, read_purpose why, const std::string& name);

}  // namespace gallery::kit
