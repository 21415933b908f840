// SPDX-License-Identifier: Apache-2.0
#include "api/image_list.hpp"

#include "api/image_json.hpp"
#include "api/pages.hpp"
#include "http/forwarded.hpp"
#include "http/query.hpp"
#include "images/image_walk.hpp"

#include <gallery/sub_type.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

namespace gallery::api {
namespace {

namespace json = boost::json;

constexpr name_table<image_sort, 7> sort_properties{{{
    {image_sort::created_time, "createdTime"},
    {image_sort::title, "title"},
    {image_sort::resource_type, "resourceType"},
    {image_sort::tenant, "tenantId"},
    {image_sort::resource_key, "resourceKey"},
    {image_sort::size, "size"},
    {image_sort::title, "name"},
}}};

/// Sub types of ThingsBoard's other resources, of which a gallery has none.
constexpr std::array<std::string_view, 2> foreign_sub_types{"EXTENSION", "MODULE"};

struct list_request {
    image_query query;
    page_bounds bounds;
    bool is_empty = false;  ///< asks for resources that a gallery does not have
};

result<list_request> parse_list_request(const http::query_view& query) {
    list_request parsed;
    const auto bounds = parse_page_bounds(query);
    if (!bounds) return bounds.error();
    parsed.bounds = *bounds;

    const auto sub_type = query.get("imageSubType");
    if (!sub_type) return sub_type.error();
    if (*sub_type && !(*sub_type)->empty()) {
        parsed.is_empty = std::ranges::find(foreign_sub_types, **sub_type) != foreign_sub_types.end();
        if (!parsed.is_empty) {
            const auto known = parse_sub_type(**sub_type, "Parameter 'imageSubType'");
            if (!known) return known.error();
            parsed.query.sub_type = *known;
        }
    }
    const auto system = query.get_boolean("includeSystemImages");
    if (!system) return system.error();
    parsed.query.include_system = system->value_or(false);
    auto text = query.get("textSearch");
    if (!text) return text.error();
    parsed.query.text_search = std::move(*text).value_or("");

    auto tags = query.get_all("tag");
    if (!tags) return tags.error();
    std::erase(*tags, "");
    parsed.query.filter.tags = std::move(*tags);
    auto media_types = query.get_all("mediaType");
    if (!media_types) return media_types.error();
    std::erase(*media_types, "");
    parsed.query.filter.media_types = std::move(*media_types);
    const auto is_public = query.get_boolean("public");
    if (!is_public) return is_public.error();
    parsed.query.filter.is_public = *is_public;

    const auto property = query.get("sortProperty");
    if (!property) return property.error();
    const auto descending = parse_descending(query);
    if (!descending) return descending.error();
    parsed.query.descending = *descending;
    if (*property && !(*property)->empty()) {
        const auto sort = sort_properties.find(**property);
        if (!sort) return bad_parameter("sortProperty", **property, sort_properties.choices());
        parsed.query.sort = *sort;
    } else {
        // Without a sort property the newest image comes first.
        parsed.query.descending = true;
    }
    return parsed;
}

class image_items final : public page_items {
public:
    image_items(images::image_service& service, images::image_read_permit may, image_query query,
                page_bounds bounds, std::string_view link_prefix)
        : walk_(service, std::move(may), std::move(query), bounds.first(), bounds.size),
          link_prefix_(link_prefix) {}

    task<result<json::array>> next() override {
        auto records = co_await walk_.next();
        if (!records) co_return records.error();
        json::array items;
        items.reserve(records->size());
        for (const auto& record : *records)
            items.emplace_back(resource_info(*record, link_prefix_));
        co_return items;
    }
    [[nodiscard]] bool is_at_end() const override { return walk_.is_at_end(); }
    [[nodiscard]] std::uint64_t total() const override { return walk_.total(); }

private:
    images::image_walk walk_;
    std::string link_prefix_;
};

}  // namespace

task<result<http::response>> list_images(const image_services& services, images::image_read_permit may,
                                         http::request& message) {
    auto wanted = parse_list_request(http::query_view(message.query()));
    if (!wanted) co_return wanted.error();
    if (wanted->is_empty) co_return http::response::json(200, page_data({}, wanted->bounds, 0));
    if (may.tenant() == system_tenant) wanted->query.include_system = false;
    auto items = std::make_unique<image_items>(services.images, std::move(may), std::move(wanted->query),
                                               wanted->bounds, http::path_prefix(message));
    auto page = page_response(std::move(items), wanted->bounds);
    co_return co_await std::move(page);
}

}  // namespace gallery::api
