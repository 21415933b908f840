// SPDX-License-Identifier: Apache-2.0
/// Small files, read and replaced as a whole. All functions block and are thread-safe.
#pragma once

#include <gallery/error.hpp>
#include <gallery/export.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery {

/// The bytes from the position of the descriptor @p file to the end. Empty after a failure, which errno
/// describes: EFBIG for more than @p limit bytes.
GALLERY_API std::optional<std::string> read_all(int file, std::uint64_t limit);

/// Writes all of @p data at the position of the descriptor @p file. False after a failure, which errno
/// describes; a part may be written then.
GALLERY_API bool write_all(int file, std::string_view data) noexcept;

/// The content of a file, or of the target of a link. Errors: not_found if there is no file; too_large for
/// more than @p limit bytes; otherwise io_error. Messages contain the path and the reason.
GALLERY_API result<std::string> read_file(const std::string& path, std::uint64_t limit = 1ULL << 30U);

/// Replaces a file in one step: a reader gets either the whole old content or the whole new one. When it
/// returns, the new content survives a power failure. A link at @p path is replaced, not followed.
///
/// The content is first written to @p temporary, with the permissions @p mode as far as the umask leaves
/// them. A file that is there is removed. Preconditions: @p temporary is in the folder of @p path, and
/// nothing else uses it.
///
/// Errors, whose messages contain the path and the reason: io_error, after which the file is as before;
/// unknown_outcome if it was replaced, but a crash of the machine may undo that.
GALLERY_API result<void> replace_file(const std::string& path, const std::string& temporary,
                                      std::string_view content, unsigned mode);

struct file_access {
    unsigned mode;
    unsigned owner;
    unsigned group;
};

/// The same with exactly this owner, group and mode, which the file gets before its content. Error, besides:
/// io_error if they cannot be set.
GALLERY_API result<void> replace_file(const std::string& path, const std::string& temporary,
                                      std::string_view content, const file_access& access);

/// Removes a file; succeeds if there is none. When it returns, the removal survives a power failure. Errors:
/// io_error, after which the file is there; unknown_outcome if it was removed, but a crash of the machine may
/// undo that.
GALLERY_API result<void> remove_file(const std::string& path);

}  // namespace gallery
