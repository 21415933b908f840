// SPDX-License-Identifier: Apache-2.0
#include "api/archive_request.hpp"

#include <gallery/name_table.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <unordered_set>

namespace gallery::api {
namespace {

namespace json = boost::json;

constexpr name_table<archive_layout, 2> layouts{{{
    {archive_layout::pictures, "PICTURES"},
    {archive_layout::exports, "EXPORT"},
}}};

/// 255 characters take no more in UTF-8.
constexpr std::size_t longest_key = 1020;

result<std::vector<std::string>> keys_in(const json::object& from, std::string_view name) {
    std::vector<std::string> keys;
    const auto* const value = from.if_contains(name);
    if (value == nullptr || value->is_null()) return keys;
    const error not_a_list{errc::invalid_argument, "The field '" + std::string(name) +
                                                       "' is not a list of keys. Send the 'resourceKey' of "
                                                       "each image, as a text of at most 255 characters."};
    const auto* const list = value->if_array();
    if (list == nullptr) return not_a_list;
    std::unordered_set<std::string_view> seen;
    for (const auto& each : *list) {
        const auto* const key = each.if_string();
        if (key == nullptr || key->empty() || key->size() > longest_key) return not_a_list;
        if (seen.emplace(key->data(), key->size()).second) keys.emplace_back(*key);
    }
    return keys;
}

}  // namespace

result<archive_request> parse_archive_request(std::string_view text) {
    json::error_code failed;
    const auto value = json::parse(text, failed);
    const auto* const object = failed ? nullptr : value.if_object();
    if (object == nullptr) {
        return error{errc::invalid_argument,
                     "The request is not a JSON object. Send {\"tenant\":[...],\"layout\":\"PICTURES\"} with "
                     "the keys of the images."};
    }
    archive_request out;
    if (const auto* const layout = object->if_contains("layout"); layout != nullptr && !layout->is_null()) {
        const auto* const name = layout->if_string();
        const auto known = name == nullptr ? std::nullopt : layouts.find({name->data(), name->size()});
        if (!known) {
            return error{errc::invalid_argument,
                         "The field 'layout' is not one of " + layouts.choices() + "."};
        }
        out.layout = *known;
    }
    auto own = keys_in(*object, "tenant");
    if (!own) return own.error();
    auto of_system = keys_in(*object, "system");
    if (!of_system) return of_system.error();
    out.own = std::move(*own);
    out.of_system = std::move(*of_system);
    if (out.size() == 0) {
        return error{errc::invalid_argument, "No images are named. Send their keys in 'tenant' or 'system'."};
    }
    if (out.size() > max_archive_images) {
        return error{errc::too_large, std::to_string(out.size()) +
                                          " images are too many for one archive. It "
                                          "takes " +
                                          std::to_string(max_archive_images) +
                                          ". Ask for fewer at a time, or use gallery-admin images export."};
    }
    if (out.layout == archive_layout::exports) {
        std::vector<std::string_view> keys(out.own.begin(), out.own.end());
        keys.insert(keys.end(), out.of_system.begin(), out.of_system.end());
        out.similar = images::similar_keys(keys);
    }
    return out;
}

}  // namespace gallery::api
