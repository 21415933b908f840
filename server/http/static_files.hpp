// SPDX-License-Identifier: Apache-2.0
/// A built web application served from memory.
#pragma once

#include "http/router.hpp"

#include <gallery/error.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace gallery::http {

struct static_files_options {
    std::string_view not_below = "/api/";  ///< paths under it are never answered
    std::string_view content_security_policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: "
        "data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-src 'self'; "
        "frame-ancestors 'none'; base-uri 'self'; object-src 'none'";
};

/// Loaded once; immutable; shared by all threads. Text is sent with brotli and gzip: as "name.br" and
/// "name.gz" contain it, which stand beside the file and are not older, else as it is compressed at start.
/// Files with a hash in their name are immutable for caches, the others "no-cache". An unknown path without
/// an extension that accepts text/html gets index.html, so that links into the application work. Where the
/// client sees the server below a path (path_prefix()), the first `<base href="/">` of index.html names it.
class static_files {
public:
    /// Errors: not_found or io_error naming the folder or file; a folder without index.html is not_found.
    static result<std::shared_ptr<const static_files>> load(const std::filesystem::path& folder,
                                                            static_files_options options = {});
    /// For router::set_fallback; keeps @p files alive.
    static hot_handler as_fallback(std::shared_ptr<const static_files> files);

    /// Answers known paths, methods other than GET and HEAD with 405 or, for OPTIONS, 204; false for
    /// everything else.
    bool serve(request& message, response& out) const;

    /// index.html as a client gets it that sees the server below @p prefix, as parse_path_prefix() returns
    /// it.
    [[nodiscard]] std::string index_below(std::string_view prefix) const;

    [[nodiscard]] std::size_t count() const noexcept;
    /// Bytes in memory, codings included.
    [[nodiscard]] std::size_t memory() const noexcept;

    ~static_files();

private:
    struct state;
    explicit static_files(std::unique_ptr<const state> state);
    std::unique_ptr<const state> state_;
};

/// "main-ABCDEF12.js", "chunk-5Q7ZK3XD.js", "styles-XYZ....css": the name ends in a hash of at least eight
/// upper-case letters and digits (Angular) before the extension.
bool has_hashed_name(std::string_view name) noexcept;

}  // namespace gallery::http
