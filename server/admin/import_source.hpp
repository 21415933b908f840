// SPDX-License-Identifier: Apache-2.0
/// Where imported images come from: a folder, a zip archive, or single JSON files.
#pragma once

#include "admin/image_document.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gallery::admin {

struct import_item {
    std::string name;  ///< of its JSON, for messages and for reading
    image_document about;
    std::string picture;  ///< the name of the picture; empty: the JSON contains it
};

/// Reads by name. Any thread.
class import_source {
public:
    import_source() = default;
    import_source(const import_source&) = delete;
    import_source& operator=(const import_source&) = delete;
    virtual ~import_source() = default;

    /// The whole content. Failures: refused, not_found.
    virtual outcome<std::string> read(const std::string& name) = 0;

    /// In the order of their names.
    std::vector<import_item> items;
    /// Files that do not belong to an image.
    std::vector<std::string> others;
};

/// A folder, without its subfolders and links, or an archive (a name that ends with ".zip"), or an image's
/// JSON. All JSON is read and checked. Failures: not_found, refused.
outcome<std::unique_ptr<import_source>> open_source(const std::string& path);

/// @p path ends with ".zip".
bool is_archive_name(std::string_view path) noexcept;

/// The picture of an item and its etag. Failure: refused where it differs from the etag that its JSON states,
/// unless @p accept_changes.
struct item_picture {
    std::string bytes;
    std::string etag;
};
outcome<item_picture> read_picture(import_source& from, const import_item& item, bool accept_changes);

/// Finds the items among files with these names. @p required: each JSON must be an image's.
outcome<> find_items(import_source& in, std::vector<std::string> names, bool required);

}  // namespace gallery::admin
