// SPDX-License-Identifier: Apache-2.0
/// Which images a command is about: its options, the query of the server's list, and the same test without a
/// server.
#pragma once

#include "admin/image_document.hpp"
#include "admin/session.hpp"

#include <boost/json/array.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace gallery::admin {

inline constexpr std::array<option, 6> selection_options{{
    {"--search", "TEXT", "only images with this text in their title"},
    {"--tag", "TAG", "only images with this tag; repeat it for several tags", {}, true},
    {"--media-type", "TYPE", "only images of this media type; repeat it for one of several", {}, true},
    {"--sub-type", "TYPE", "only images of this sub type, such as SCADA_SYMBOL; default: all"},
    {"--public", "", "only images with a public link"},
    {"--private", "", "only images without a public link"},
}};

struct image_selection {
    std::string search;
    std::vector<std::string> tags;
    std::vector<std::string> media_types;
    std::vector<std::string> sub_types;  ///< one, or all
    std::optional<bool> is_public;
};

/// Failure: usage.
outcome<image_selection> read_selection(const session& in);

/// As the server would decide. @p about states everything, except that its sub type may be the usual one.
bool matches(const image_selection& wanted, const image_document& about);

/// The logged-in account's own images, as TbResourceInfo, one wanted sub type after the other.
/// @p more: further parameters of the query, beginning with '&'.
outcome<boost::json::array> list_images(server_api& server, const image_selection& wanted,
                                        const std::string& more);

/// The path of an image, percent-encoded. @p kind: "tenant" or "system".
std::string image_path(std::string_view kind, std::string_view key);

}  // namespace gallery::admin
