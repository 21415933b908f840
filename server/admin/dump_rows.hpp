// SPDX-License-Identifier: Apache-2.0
/// The images in a dump of ThingsBoard's database, line by line. Pure.
#pragma once

#include "admin/image_document.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::admin {

struct dumped_image {
    std::string tenant;  ///< a UUID; ThingsBoard's null UUID for the system
    image_document about;
    std::string picture;
    std::string problem;  ///< why the row has no good picture; empty for a good one
};

/// Reads what pg_dump writes as text. Of all tables it takes `resource`, and of that the rows of images,
/// which are there since ThingsBoard 3.6.2. Not thread-safe.
class dump_reader {
public:
    /// @p tenant: only its images are read; of those of others only the tenant is.
    explicit dump_reader(std::string tenant) : tenant_(std::move(tenant)) {}

    /// One line, without its end. Empty for lines that are not an image. Failure: refused, for a row with
    /// another number of columns, and for a table without the columns of images.
    outcome<std::optional<dumped_image>> next(std::string_view line);

    /// The table was there.
    [[nodiscard]] bool has_table() const noexcept { return has_table_; }
    /// The table was begun and not ended: the dump is cut off.
    [[nodiscard]] bool is_in_table() const noexcept { return is_in_table_; }

private:
    outcome<> begin(std::string_view line);
    [[nodiscard]] std::optional<std::string> text(const std::vector<std::string_view>& values,
                                                  std::string_view column) const;

    const std::string tenant_;
    std::vector<std::string> columns_;
    bool has_table_ = false;
    bool is_in_table_ = false;
};

}  // namespace gallery::admin
