// SPDX-License-Identifier: Apache-2.0
#include "api/image_json.hpp"

#include "api/json_fields.hpp"
#include "images/keys.hpp"

#include <gallery/sha256.hpp>
#include <gallery/sub_type.hpp>

namespace gallery::api {
namespace {

namespace json = boost::json;

json::object descriptor(const body_descriptor& facts) {
    json::object object;
    object["mediaType"] = facts.media_type;
    object["width"] = facts.width;
    object["height"] = facts.height;
    object["size"] = facts.size;
    object["etag"] = to_hex(facts.etag);
    return object;
}

}  // namespace

std::string image_link(const image_record& record) {
    return std::string(images::images_path) + (record.tenant == system_tenant ? "system/" : "tenant/") +
           record.key;
}

std::string public_link(const image_record& record) {
    return std::string(images::public_images_path) + record.public_key;
}

json::object resource_info(const image_record& record, std::string_view prefix) {
    json::object info;
    info.reserve(19);
    info["id"] = entity_id("TB_RESOURCE", record.id.value);
    info["createdTime"] = record.created_time;
    info["tenantId"] = entity_id("TENANT", record.tenant.value);
    info["title"] = record.title;
    info["resourceType"] = "IMAGE";
    info["resourceSubType"] = sub_types.name_of(record.sub_type);
    info["resourceKey"] = record.key;
    info["public"] = record.is_public;
    info["publicResourceKey"] = record.public_key;
    info["etag"] = to_hex(record.original.etag);
    info["fileName"] = record.file_name;
    auto facts = descriptor(record.original);
    facts["previewDescriptor"] = descriptor(record.descriptor(representation::preview));
    info["descriptor"] = std::move(facts);
    info["externalId"] = nullptr;
    info["name"] = record.title;
    info["link"] = std::string(prefix) + image_link(record);
    if (record.is_public) {
        info["publicLink"] = std::string(prefix) + public_link(record);
    } else {
        info["publicLink"] = nullptr;
    }
    if (!record.tags.empty()) info["tags"] = json::array(record.tags.begin(), record.tags.end());
    return info;
}

std::string info_etag(const image_record& record) {
    std::string text = "info";
    // With the length in front, so that no two records have the same text.
    const auto add = [&text](std::string_view value) {
        text += ' ' + std::to_string(value.size()) + ' ';
        text += value;
    };
    add(to_string(record.id.value));
    add(std::to_string(record.created_time));
    add(record.key);
    add(record.title);
    add(record.file_name);
    add(sub_types.name_of(record.sub_type));
    add(record.is_public ? "public" : "private");
    add(record.public_key);
    add(to_hex(record.original.etag));
    add(to_hex(record.descriptor(representation::preview).etag));
    for (const auto& tag : record.tags)
        add(tag);
    return to_hex(sha256(text));
}

}  // namespace gallery::api
