// SPDX-License-Identifier: Apache-2.0
/// ThingsBoard's ResourceExportData: one image as a JSON document, for moving it between servers.
#pragma once

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/sha256.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::images {

/// Empty: the field was absent, null or empty.
struct resource_export {
    std::string title;
    std::string resource_key;
    std::string file_name;
    std::string public_key;
    std::optional<bool> is_public;
    std::optional<image_sub_type> sub_type;
    std::string media_type;
    std::optional<std::vector<std::string>> tags;  ///< not checked yet
    std::int64_t created_time = 0;                 ///< milliseconds since 1970; 0: absent
    std::vector<char> data;
    sha256_digest digest{};  ///< of the data
    std::string request_id;  ///< not part of the document: of the import, for the log; empty: of no request
};

/// Reads such a document in parts, as they arrive. The image is decoded while the text arrives, so it is
/// in memory once, and hashed at the same time. The text has the form of json_text_decoder. Unknown fields
/// are ignored. Not thread-safe.
class resource_export_reader {
public:
    /// @p expected_size is the length of the text if it is known, to reserve memory once; otherwise 0.
    explicit resource_export_reader(std::uint64_t expected_size);
    ~resource_export_reader();
    resource_export_reader(resource_export_reader&&) noexcept;
    resource_export_reader& operator=(resource_export_reader&&) noexcept;

    /// Error: invalid_argument with the fault and its place.
    result<void> feed(std::string_view text);
    /// Error: invalid_argument if the document is incomplete or is not an image. Used once.
    result<resource_export> finish();

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Writes the document; nulls are left out, as ThingsBoard does. @p link is the image's path.
std::string write_resource_export(const image_record& record, std::string_view link, const bytes& original);

}  // namespace gallery::images
