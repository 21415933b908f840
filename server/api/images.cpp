// SPDX-License-Identifier: Apache-2.0
#include "api/image_access.hpp"
#include "api/image_json.hpp"
#include "api/image_key.hpp"
#include "api/image_list.hpp"
#include "api/image_services.hpp"
#include "api/json_fields.hpp"
#include "api/pages.hpp"
#include "api/upload_form.hpp"
#include "api/write_condition.hpp"
#include "http/conditional.hpp"
#include "http/forwarded.hpp"
#include "http/media_type.hpp"
#include "http/query.hpp"
#include "images/keys.hpp"
#include "images/resource_export.hpp"

#include <gallery/text.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gallery::api {
namespace {

namespace json = boost::json;
using images::image_operation;
using images::image_read_permit;
using images::image_write_permit;

result<http::response> info_response(const http::request& message, const result<record_ptr>& record) {
    if (!record) return record.error();
    return http::response::json(200, resource_info(**record, http::path_prefix(message)));
}

/// The same for /info itself: with the ETag that a later change may require (write_condition.hpp). A GET of
/// the info that the client has is a 304.
result<http::response> tagged_info_response(const http::request& message, const result<record_ptr>& record) {
    if (!record) return record.error();
    const auto etag = info_etag(**record);
    const bool is_known = http::evaluate_conditions(message, etag) == http::verdict::not_modified;
    auto answer =
        is_known ? result<http::response>(http::response::empty(304)) : info_response(message, record);
    if (answer) answer->add("ETag", '"' + etag + '"');
    return answer;
}

/// The key that the path of /api/images/{type}/{key}... names. Error: invalid_argument for what is no key.
task<result<std::string>> key_in_path(const image_services& services, images::image_view_permit may,
                                      std::string key) {
    if (auto checked = images::check_name(key, "key"); !checked) co_return checked.error();
    auto finding = stored_key(services.images, std::move(may), std::move(key));
    co_return co_await std::move(finding);
}

task<result<http::response>> upload(const image_services& services, image_write_permit may,
                                    http::request& message, content_limit limit) {
    auto& limits = services.images.limits();
    const auto most = limits.limit_of_image(may.tenant(), limit.bytes);
    // Before the upload is read.
    auto room = co_await services.images.require_room(may.lend(), least_image_size(message), 0);
    if (!room) co_return room.error();
    auto form = co_await read_upload_form(message, may.tenant(), services.memory, limits, most);
    if (!form) co_return form.error();
    images::new_image image;
    image.file = std::move(form->file);
    image.title = std::move(form->title);
    image.sub_type = form->sub_type.value_or(image_sub_type::image);
    auto record = co_await services.images.upload(std::move(may), std::move(image));
    co_return info_response(message, record);
}

task<result<http::response>> replace(const image_services& services, image_write_permit may,
                                     http::request& message, content_limit limit) {
    auto key = co_await key_in_path(services, may.lend(), message.param(1));
    if (!key) co_return key.error();
    // A missing image, a failed precondition and a tenant without room are refused before the upload is read.
    auto current = co_await services.images.find(may.lend(), *key);
    if (!current) co_return current.error();
    auto check = co_await write_condition(message, may.lend(), *key, services.images, services.coded);
    if (!check) co_return check.error();
    if (*check) {
        if (auto allowed = (*check)(current->get()); !allowed) co_return allowed.error();
    }
    auto& limits = services.images.limits();
    const auto most = limits.limit_of_image(may.tenant(), limit.bytes);
    const auto replaced = (*current)->original.size;
    auto room = co_await services.images.require_room(may.lend(), least_image_size(message), replaced);
    if (!room) co_return room.error();
    auto form = co_await read_upload_form(message, may.tenant(), services.memory, limits, most);
    if (!form) co_return form.error();
    auto record = co_await services.images.replace(std::move(may), std::move(*key), std::move(form->file),
                                                   std::move(*check));
    co_return info_response(message, record);
}

task<result<http::response>> import(const image_services& services, image_write_permit may,
                                    http::request& message, content_limit limit) {
    if (!http::is_json(message.header(http::field::content_type))) {
        co_return error{errc::unsupported_type,
                        "An import is a JSON document. Send it with Content-Type: application/json."};
    }
    using images::known_size;
    auto& limits = services.images.limits();
    const auto most = limits.limit_of_image(may.tenant(), limit.bytes);
    auto& text = message.body();
    text.set_limit(body_limit(body_kind::picture_document, {most.bytes}));
    const auto length = text.content_length().value_or(text.limit());
    if (length > text.limit())
        co_return limits.refuse_image(most, std::max((length - form_envelope) / 4 * 3, most.bytes + 1),
                                      known_size::so_far);
    auto memory = co_await services.memory.acquire(may.tenant(), length / 4 * 3);
    if (!memory) co_return memory.error();
    images::resource_export_reader reader(length);
    for (;;) {
        auto piece = co_await text.read_some();
        if (!piece) co_return piece.error();
        if (piece->empty()) break;
        if (auto fed = reader.feed({piece->data(), piece->size()}); !fed) co_return fed.error();
    }
    auto exported = reader.finish();
    if (!exported) co_return exported.error();
    if (exported->data.size() > most.bytes)
        co_return limits.refuse_image(most, exported->data.size(), known_size::whole);
    exported->request_id = message.request_id();
    auto check = co_await write_condition(message, may.lend(), exported->resource_key, services.images,
                                          services.coded);
    if (!check) co_return check.error();
    auto record = co_await services.images.import(std::move(may), std::move(*exported), std::move(*check));
    co_return info_response(message, record);
}

task<result<http::response>> info(const image_services& services, image_read_permit may,
                                  http::request& message) {
    auto key = co_await key_in_path(services, may.lend(), message.param(1));
    if (!key) co_return key.error();
    auto record = co_await services.images.find(std::move(may), std::move(*key));
    co_return tagged_info_response(message, record);
}

result<std::vector<std::string>> tags_in(const json::object& sent) {
    const error not_a_list{errc::invalid_argument,
                           "The field 'tags' is missing or not a list of texts. Send all tags that the image "
                           "shall have in it; [] removes them."};
    const auto* const list = sent.if_contains("tags");
    if (list == nullptr || !list->is_array()) return not_a_list;
    std::vector<std::string> tags;
    for (const auto& one : list->get_array()) {
        if (!one.is_string()) return not_a_list;
        tags.emplace_back(one.get_string());
    }
    return tags;
}

task<result<http::response>> rename(const image_services& services, image_write_permit may,
                                    http::request& message) {
    auto key = co_await key_in_path(services, may.lend(), message.param(1));
    if (!key) co_return key.error();
    const auto sent = co_await read_json_object(message);
    if (!sent) {
        auto refused = sent.error();
        if (refused.code == errc::invalid_argument)
            refused.message += ". Send the image's info with its 'title'.";
        co_return refused;
    }
    const auto* title = sent->if_contains("title");
    if (title == nullptr || !title->is_string()) {
        co_return error{errc::invalid_argument,
                        "The field 'title' is missing or not a text. Send the image's new title in it."};
    }
    std::string new_title(title->get_string());
    auto check = co_await write_condition(message, may.lend(), *key, services.images, services.coded);
    if (!check) co_return check.error();
    auto record = co_await services.images.rename(std::move(may), std::move(*key), std::move(new_title),
                                                  std::move(*check));
    co_return tagged_info_response(message, record);
}

task<result<http::response>> tag(const image_services& services, image_write_permit may,
                                 http::request& message) {
    auto key = co_await key_in_path(services, may.lend(), message.param(1));
    if (!key) co_return key.error();
    auto tags = co_await read_json(message, &tags_in);
    if (!tags) co_return tags.error();
    auto check = co_await write_condition(message, may.lend(), *key, services.images, services.coded);
    if (!check) co_return check.error();
    auto record =
        co_await services.images.tag(std::move(may), std::move(*key), std::move(*tags), std::move(*check));
    co_return info_response(message, record);
}

task<result<http::response>> publish(const image_services& services, image_write_permit may,
                                     http::request& message) {
    auto key = co_await key_in_path(services, may.lend(), message.param(1));
    if (!key) co_return key.error();
    const auto is_public = parse_boolean(message.param(2));
    if (!is_public) co_return bad_parameter("isPublic", message.param(2), "true or false");
    auto check = co_await write_condition(message, may.lend(), *key, services.images, services.coded);
    if (!check) co_return check.error();
    auto record =
        co_await services.images.publish(std::move(may), std::move(*key), *is_public, std::move(*check));
    co_return info_response(message, record);
}

task<result<http::response>> export_image(const image_services& services, image_read_permit may,
                                          http::request& message) {
    const auto key = co_await key_in_path(services, may.lend(), message.param(1));
    if (!key) co_return key.error();
    for (int attempt = 0; attempt < max_read_attempts; ++attempt) {
        auto record = co_await services.images.find(may.lend(), *key);
        if (!record) co_return record.error();
        // The text is a third larger than the picture, which a file-backed store reads into memory as well.
        const auto size = (*record)->original.size;
        auto memory = co_await services.memory.acquire(may.tenant(), size / 3 * 4 + size);
        if (!memory) co_return memory.error();
        auto content = co_await services.images.read(*record, representation::original);
        if (!content && content.error().code == errc::stale) continue;
        if (!content) co_return content.error();
        // Reading and encoding a large picture would delay the I/O thread's other connections.
        auto write = [record = *record, content = std::move(*content)]() -> result<std::string> {
            const auto original = content.load();
            if (!original) return error{errc::io_error, "the original of " + record->key + " cannot be read"};
            return images::write_resource_export(*record, image_link(*record), *original);
        };
        auto text = co_await services.background.run(may.tenant(), std::move(write));
        if (!text) co_return text.error();
        memory->shrink(std::min<std::uint64_t>(text->size(), memory->size()));
        co_return http::response::json_text(200,
                                            images::leased(bytes::own(std::move(*text)), std::move(*memory)));
    }
    co_return replaced_too_often();
}

task<result<http::response>> erase(const image_services& services, image_write_permit may,
                                   http::request& message) {
    auto key = co_await key_in_path(services, may.lend(), message.param(1));
    if (!key) co_return key.error();
    // Nothing refers to images, so there is nothing to force. The value must be a boolean all the same.
    if (auto force = http::query_view(message.query()).get_boolean("force"); !force) co_return force.error();
    auto check = co_await write_condition(message, may.lend(), *key, services.images, services.coded);
    if (!check) co_return check.error();
    auto erased = co_await services.images.erase(std::move(may), std::move(*key), std::move(*check));
    if (!erased) co_return erased.error();
    json::object answer;
    answer["success"] = true;
    answer["references"] = nullptr;
    co_return http::response::json(200, answer);
}

using read_own = own_images<image_operation::read>;
using write_own = own_images<image_operation::write>;
using read_in_path = images_in_path<image_operation::read>;
using write_in_path = images_in_path<image_operation::write>;

constexpr endpoint<image_services> upload_endpoint{http::method::post, "/api/image", "image.upload",
                                                   body_kind::picture_form, allow<write_own, upload>};

constexpr endpoint<image_services> endpoints[] = {
    upload_endpoint,
    {http::method::put, "/api/image/import", "image.import", body_kind::picture_document,
     allow<write_own, import>},
    {http::method::get, "/api/images", "image.list", body_kind::none, allow<read_own, list_images>},
    {http::method::put, "/api/images/{type}/{key}", "image.replace", body_kind::picture_form,
     allow<write_in_path, replace>},
    {http::method::delete_, "/api/images/{type}/{key}", "image.delete", body_kind::none,
     allow<write_in_path, erase>},
    {http::method::get, "/api/images/{type}/{key}/info", "image.info", body_kind::none,
     allow<read_in_path, info>},
    {http::method::put, "/api/images/{type}/{key}/info", "image.rename", body_kind::json,
     allow<write_in_path, rename>},
    {http::method::put, "/api/images/{type}/{key}/tags", "image.tag", body_kind::json,
     allow<write_in_path, tag>},
    {http::method::put, "/api/images/{type}/{key}/public/{isPublic}", "image.publish", body_kind::none,
     allow<write_in_path, publish>},
    {http::method::get, "/api/images/{type}/{key}/export", "image.export", body_kind::none,
     allow<read_in_path, export_image>},
};

}  // namespace

std::span<const endpoint<image_services>> image_endpoints() noexcept {
    return endpoints;
}

std::uint64_t max_upload_size(const content_limits& limits) {
    return limits(upload_endpoint.pattern, upload_endpoint.body).bytes;
}

}  // namespace gallery::api
