// SPDX-License-Identifier: Apache-2.0
#include "api/images.hpp"

#include "api/image_json.hpp"
#include "api/image_key.hpp"
#include "api/pages.hpp"
#include "api/upload_form.hpp"
#include "api/write_condition.hpp"
#include "http/errors.hpp"
#include "http/forwarded.hpp"
#include "http/media_type.hpp"
#include "http/query.hpp"
#include "images/image_walk.hpp"
#include "images/json_text.hpp"
#include "images/keys.hpp"
#include "images/resource_export.hpp"

#include <gallery/text.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace gallery::api {
namespace {

namespace json = boost::json;
using images::image_operation;

http::response info_response(const http::request& message, const result<record_ptr>& record) {
    if (!record) return http::error_response(record.error());
    return http::response::json(200, resource_info(**record, http::path_prefix(message)));
}

// Bytes that are sent as slowly as the client reads, and count as long.
bytes leased(std::string text, images::byte_budget::lease memory) {
    struct owner {
        std::string text;
        images::byte_budget::lease memory;
    };
    auto kept = std::make_shared<const owner>(std::move(text), std::move(memory));
    const std::span<const char> view(kept->text);
    return {std::move(kept), view};
}

result<image_sort> sort_property(const std::string& name) {
    if (name == "createdTime") return image_sort::created_time;
    if (name == "title" || name == "name") return image_sort::title;
    if (name == "resourceType") return image_sort::resource_type;
    if (name == "tenantId") return image_sort::tenant;
    if (name == "resourceKey") return image_sort::resource_key;
    if (name == "size") return image_sort::size;
    return bad_parameter("sortProperty", name,
                         "createdTime, title, resourceType, tenantId, resourceKey or size");
}

struct list_request {
    image_query query;
    page_bounds bounds;
    bool is_empty = false;  // a kind of resources that a gallery does not have
};

result<list_request> parse_list_request(const http::query_view& query) {
    list_request parsed;
    const auto bounds = parse_page_bounds(query);
    if (!bounds) return bounds.error();
    parsed.bounds = *bounds;

    const auto sub_type = query.get("imageSubType");
    if (!sub_type) return sub_type.error();
    // Sub types of ThingsBoard's other resources.
    parsed.is_empty = *sub_type && (**sub_type == "EXTENSION" || **sub_type == "MODULE");
    if (*sub_type && !(*sub_type)->empty() && !parsed.is_empty) {
        auto known = parse_sub_type(**sub_type, "imageSubType");
        if (!known) return known.error();
        parsed.query.sub_type = *known;
    }
    const auto system = query.get_boolean("includeSystemImages");
    if (!system) return system.error();
    parsed.query.include_system = system->value_or(false);
    auto text = query.get("textSearch");
    if (!text) return text.error();
    parsed.query.text_search = std::move(*text).value_or("");

    const auto property = query.get("sortProperty");
    if (!property) return property.error();
    const auto descending = parse_descending(query);
    if (!descending) return descending.error();
    parsed.query.descending = *descending;
    if (*property && !(*property)->empty()) {
        const auto sort = sort_property(**property);
        if (!sort) return sort.error();
        parsed.query.sort = *sort;
    } else {
        // Nobody asked for an order: what was made last is what is looked for.
        parsed.query.descending = true;
    }
    return parsed;
}

class image_items final : public page_items {
public:
    image_items(images::image_service& gallery, images::image_read_permit may, image_query query,
                page_bounds bounds, std::string_view prefix)
        : walk_(gallery, std::move(may), std::move(query), bounds.first(), bounds.size), prefix_(prefix) {}

    task<result<json::array>> next() override {
        auto records = co_await walk_.next();
        if (!records) co_return records.error();
        json::array items;
        items.reserve(records->size());
        for (const auto& record : *records)
            items.emplace_back(resource_info(*record, prefix_));
        co_return items;
    }
    [[nodiscard]] bool is_at_end() const override { return walk_.is_at_end(); }
    [[nodiscard]] std::uint64_t total() const override { return walk_.total(); }

private:
    images::image_walk walk_;
    std::string prefix_;  // of the links
};

}  // namespace

image_routes::image_routes(images::image_service& gallery, images::coded_bodies& coded,
                           images::byte_budget& memory, asio::thread_pool& background,
                           verify_credentials verify, image_limits limits)
    : gallery_(gallery),
      coded_(coded),
      memory_(memory),
      background_(background),
      verify_(std::move(verify)),
      limits_(limits) {}

void image_routes::add_routes(http::router& routes) {
    const auto add = [&](http::method verb, std::string_view pattern, const char* name,
                         task<http::response> (image_routes::*answer)(http::request&),
                         std::uint64_t body_limit) {
        routes.add(verb, pattern, [this, answer](http::request& message) { return (this->*answer)(message); },
                   {.name = name, .body_limit = body_limit});
    };
    using http::method;
    const auto form = [](std::uint64_t picture) { return picture + form_envelope; };
    const auto document = [](std::uint64_t picture) { return picture / 3 * 4 + form_envelope; };
    add(method::post, "/api/image", "image.upload", &image_routes::upload, form(limits_.upload));
    add(method::put, "/api/image/import", "image.import", &image_routes::import, document(limits_.import));
    add(method::get, "/api/images", "image.list", &image_routes::list, 0);
    add(method::put, "/api/images/{type}/{key}", "image.replace", &image_routes::replace,
        form(limits_.replace));
    add(method::delete_, "/api/images/{type}/{key}", "image.delete", &image_routes::erase, 0);
    add(method::get, "/api/images/{type}/{key}/info", "image.info", &image_routes::info, 0);
    add(method::put, "/api/images/{type}/{key}/info", "image.rename", &image_routes::rename, limits_.info);
    add(method::put, "/api/images/{type}/{key}/public/{isPublic}", "image.publish", &image_routes::publish,
        0);
    add(method::get, "/api/images/{type}/{key}/export", "image.export", &image_routes::export_one, 0);
}

template <images::image_operation What>
task<result<image_routes::target<What>>> image_routes::resolve(http::request& message) const {
    const auto who = principal_of(message, verify_);
    if (!who) co_return who.error();
    auto may = images::authorise_images<What>(**who, message.param(0));
    if (!may) co_return may.error();
    target<What> where{std::move(*may), message.param(1)};
    if (auto checked = images::check_name(where.key, "key"); !checked) co_return checked.error();
    auto decoded = key_decoded_again(where.key);
    if (!decoded) co_return std::move(where);
    const auto exact = co_await gallery_.find(where.may.lend(), where.key);
    if (exact || exact.error().code != errc::not_found) co_return std::move(where);
    const auto other = co_await gallery_.find(where.may.lend(), *decoded);
    if (other) where.key = std::move(*decoded);
    co_return std::move(where);
}

template <images::image_operation What>
result<images::image_permit<What>> image_routes::own_gallery(http::request& message) const {
    const auto who = principal_of(message, verify_);
    if (!who) return who.error();
    return images::authorise_images<What>(**who, "tenant");
}

task<http::response> image_routes::upload(http::request& message) {
    auto may = own_gallery<image_operation::write>(message);
    if (!may) co_return http::error_response(may.error());
    auto form = co_await read_upload_form(message, may->tenant(), memory_, limits_.upload);
    if (!form) co_return http::error_response(form.error());
    images::new_image image;
    image.file = std::move(form->file);
    image.title = std::move(form->title);
    image.sub_type = form->sub_type.value_or(image_sub_type::image);
    co_return info_response(message, co_await gallery_.upload(std::move(*may), std::move(image)));
}

task<http::response> image_routes::replace(http::request& message) {
    auto where = co_await resolve<image_operation::write>(message);
    if (!where) co_return http::error_response(where.error());
    // What is not there or not the expected version is refused before the upload is read.
    auto current = co_await gallery_.find(where->may.lend(), where->key);
    if (!current) co_return http::error_response(current.error());
    auto check = co_await write_condition(message, where->may.lend(), where->key, gallery_, coded_);
    if (!check) co_return http::error_response(check.error());
    if (*check) {
        if (auto allowed = (*check)(current->get()); !allowed)
            co_return http::error_response(allowed.error());
    }
    auto form = co_await read_upload_form(message, where->may.tenant(), memory_, limits_.replace);
    if (!form) co_return http::error_response(form.error());
    co_return info_response(message, co_await gallery_.replace(std::move(where->may), std::move(where->key),
                                                               std::move(form->file), std::move(*check)));
}

task<http::response> image_routes::import(http::request& message) {
    auto may = own_gallery<image_operation::write>(message);
    if (!may) co_return http::error_response(may.error());
    if (!http::is_json(message.header(http::field::content_type)))
        co_return http::error_response(error{errc::unsupported_type,
                                             "An import is a JSON document. Send it with "
                                             "Content-Type: application/json."});
    auto& text = message.body();
    const auto length = text.content_length().value_or(text.limit());
    if (length > text.limit()) co_return http::error_response(picture_too_large(limits_.import));
    auto memory = co_await memory_.acquire(may->tenant(), length / 4 * 3);
    if (!memory) co_return http::error_response(memory.error());
    images::resource_export_reader reader(length);
    for (;;) {
        auto piece = co_await text.read_some();
        if (!piece) co_return http::error_response(piece.error());
        if (piece->empty()) break;
        if (auto fed = reader.feed({piece->data(), piece->size()}); !fed)
            co_return http::error_response(fed.error());
    }
    auto exported = reader.finish();
    if (!exported) co_return http::error_response(exported.error());
    if (exported->data.size() > limits_.import)
        co_return http::error_response(picture_too_large(limits_.import));
    auto check = co_await write_condition(message, may->lend(), exported->resource_key, gallery_, coded_);
    if (!check) co_return http::error_response(check.error());
    co_return info_response(
        message, co_await gallery_.import(std::move(*may), std::move(*exported), std::move(*check)));
}

task<http::response> image_routes::info(http::request& message) {
    auto where = co_await resolve<image_operation::read>(message);
    if (!where) co_return http::error_response(where.error());
    co_return info_response(message, co_await gallery_.find(where->may.lend(), where->key));
}

task<http::response> image_routes::rename(http::request& message) {
    auto where = co_await resolve<image_operation::write>(message);
    if (!where) co_return http::error_response(where.error());
    auto text = co_await message.body().read_all(max_info_bytes);
    if (text) text = images::decode_json_text(std::move(*text));
    if (!text) co_return http::error_response(text.error());
    json::error_code ec;
    const auto document = json::parse(*text, ec);
    if (ec || !document.is_object())
        co_return http::error_response(
            error{errc::invalid_argument,
                  "The body is not a JSON object with the image's info. Send one with 'title'."});
    const auto* title = document.get_object().if_contains("title");
    if (title == nullptr || !title->is_string())
        co_return http::error_response(
            error{errc::invalid_argument,
                  "The field 'title' is missing or no text. It is what can be changed here."});
    std::string new_title(title->get_string());
    auto check = co_await write_condition(message, where->may.lend(), where->key, gallery_, coded_);
    if (!check) co_return http::error_response(check.error());
    co_return info_response(message, co_await gallery_.rename(std::move(where->may), std::move(where->key),
                                                              std::move(new_title), std::move(*check)));
}

task<http::response> image_routes::publish(http::request& message) {
    auto where = co_await resolve<image_operation::write>(message);
    if (!where) co_return http::error_response(where.error());
    const auto is_public = parse_boolean(message.param(2));
    if (!is_public)
        co_return http::error_response(error{errc::invalid_argument,
                                             "The path ends in something else than true or "
                                             "false, which says whether the image is public."});
    auto check = co_await write_condition(message, where->may.lend(), where->key, gallery_, coded_);
    if (!check) co_return http::error_response(check.error());
    co_return info_response(message, co_await gallery_.publish(std::move(where->may), std::move(where->key),
                                                               *is_public, std::move(*check)));
}

task<http::response> image_routes::export_one(http::request& message) {
    auto where = co_await resolve<image_operation::read>(message);
    if (!where) co_return http::error_response(where.error());
    for (int attempt = 0; attempt < 16; ++attempt) {
        auto record = co_await gallery_.find(where->may.lend(), where->key);
        if (!record) co_return http::error_response(record.error());
        // The text is a third larger than the picture, which a file-backed store reads into memory, too.
        auto memory = co_await memory_.acquire(where->may.tenant(),
                                               (*record)->original.size / 3 * 4 + (*record)->original.size);
        if (!memory) co_return http::error_response(memory.error());
        auto content = co_await gallery_.read(*record, representation::original);
        if (!content && content.error().code == errc::stale) continue;
        if (!content) co_return http::error_response(content.error());
        // Reading and encoding a large picture would hold up the I/O thread's other connections.
        auto write = [record = *record, content = std::move(*content)]() -> result<std::string> {
            const auto original = content.load();
            if (!original) return error{errc::io_error, "the original of " + record->key + " cannot be read"};
            return images::write_resource_export(*record, image_link(*record), *original);
        };
        auto text = co_await offload(background_, std::move(write));
        if (!text) co_return http::error_response(text.error());
        memory->shrink(std::min<std::uint64_t>(text->size(), memory->size()));
        co_return http::response::json_text(200, leased(std::move(*text), std::move(*memory)));
    }
    co_return http::error_response(
        error{errc::busy, "The image is being replaced faster than it can be read. Try again."});
}

task<http::response> image_routes::list(http::request& message) {
    auto may = own_gallery<image_operation::read>(message);
    if (!may) co_return http::error_response(may.error());
    auto wanted = parse_list_request(http::query_view(message.query()));
    if (!wanted) co_return http::error_response(wanted.error());
    if (wanted->is_empty) co_return http::response::json(200, page_data({}, wanted->bounds, 0));
    if (may->tenant() == system_tenant) wanted->query.include_system = false;
    auto items = std::make_unique<image_items>(gallery_, std::move(*may), std::move(wanted->query),
                                               wanted->bounds, http::path_prefix(message));
    auto making = page_response(std::move(items), wanted->bounds);
    auto page = co_await std::move(making);
    if (!page) co_return http::error_response(page.error());
    co_return std::move(*page);
}

task<http::response> image_routes::erase(http::request& message) {
    auto where = co_await resolve<image_operation::write>(message);
    if (!where) co_return http::error_response(where.error());
    // Nothing here refers to images, so there is nothing to force; a value must be a boolean all the same.
    if (auto force = http::query_view(message.query()).get_boolean("force"); !force)
        co_return http::error_response(force.error());
    auto check = co_await write_condition(message, where->may.lend(), where->key, gallery_, coded_);
    if (!check) co_return http::error_response(check.error());
    auto erased = co_await gallery_.erase(std::move(where->may), std::move(where->key), std::move(*check));
    if (!erased) co_return http::error_response(erased.error());
    json::object answer;
    answer["success"] = true;
    answer["references"] = nullptr;
    co_return http::response::json(200, answer);
}

}  // namespace gallery::api
