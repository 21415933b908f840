// SPDX-License-Identifier: Apache-2.0
// Dashboards and other JSON documents: their embedded pictures become images and links, and the reverse.
#include "api/image_access.hpp"
#include "api/image_json.hpp"
#include "api/image_key.hpp"
#include "api/image_services.hpp"
#include "http/errors.hpp"
#include "http/media_type.hpp"
#include "http/query.hpp"
#include "images/embedded_pictures.hpp"
#include "images/extraction.hpp"
#include "images/json_text.hpp"
#include "images/resource_export.hpp"

#include <gallery/encode.hpp>
#include <gallery/name_table.hpp>
#include <gallery/sub_type.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gallery::api {
namespace {

namespace json = boost::json;
using images::image_operation;
using document_read_permit = images::document_permit<image_operation::read>;
using document_write_permit = images::document_permit<image_operation::write>;

constexpr name_table<images::left_reason, 3> left_reasons{{{
    {images::left_reason::in_text, "IN_TEXT"},
    {images::left_reason::not_base64, "NOT_BASE64"},
    {images::left_reason::unknown_etag, "UNKNOWN_ETAG"},
}}};

error document_too_large(std::uint64_t max_bytes) {
    return {errc::too_large, "The document is larger than " + std::to_string(max_bytes) +
                                 " bytes, the limit of this server. Split it, or ask the administrator to "
                                 "raise the limit."};
}

/// A document as it arrived.
struct received {
    images::byte_budget::lease memory;
    std::string text;
};

/// Bytes of the budget for a text of some size.
using memory_for_text = std::uint64_t (*)(std::uint64_t size);

/// Reads the body, with the memory that a text of its size needs.
task<result<received>> read_document(const image_services& services, tenant_id owner, http::request& message,
                                     content_limit limit, memory_for_text needed) {
    if (!http::is_json(message.header(http::field::content_type))) {
        co_return error{errc::unsupported_type,
                        "The document must be JSON. Send it with Content-Type: application/json."};
    }
    auto& body = message.body();
    const auto length = body.content_length().value_or(limit.bytes);
    if (length > limit.bytes) co_return document_too_large(limit.bytes);
    // A client may send slowly, so it has no more than the text's memory before the text has arrived.
    auto memory = co_await services.memory.acquire(owner, length);
    if (!memory) co_return memory.error();
    auto text = co_await body.read_all(limit.bytes);
    if (!text) co_return text.error();
    memory->shrink(std::min<std::uint64_t>(text->size(), memory->size()));
    auto grown = co_await services.memory.grow(*memory, owner, needed(text->size()));
    if (!grown) co_return grown.error();
    co_return received{std::move(*memory), std::move(*text)};
}

/// The beginning of an answer that ends in the document itself, which is text already. Precondition: there is
/// a fact.
std::string begin_answer(const json::object& facts) {
    auto text = json::serialize(facts);
    text.back() = ',';
    text += "\"document\":";
    return text;
}

// ---- extract ---------------------------------------------------------------------------------------------

struct scanned {
    std::string text;  ///< UTF-8
    images::document_pictures found;
};

task<result<scanned>> scan(const image_services& services, tenant_id owner, std::string sent) {
    auto& limits = services.images.limits();
    images::picture_size_check check = [&limits,
                                        most = limits.limit_of_image(owner, services.max_picture_bytes)](
                                           std::uint64_t size) -> result<void> {
        if (size <= most.bytes) return {};
        return limits.refuse_image(most, size, images::known_size::whole);
    };
    auto work = [sent = std::move(sent), check = std::move(check)]() mutable -> result<scanned> {
        auto text = images::decode_json_text(std::move(sent));
        if (!text) return text.error();
        auto found = images::find_pictures(*text, check);
        if (!found) return found.error();
        return scanned{std::move(*text), std::move(*found)};
    };
    co_return co_await services.background.run(owner, std::move(work));
}

/// The path of the bytes that the picture became.
std::string link_of(const images::extracted_picture& picture) {
    auto link = image_link(*picture.record);
    if (picture.which == representation::preview) link += "/preview";
    return link;
}

json::object describe(const images::extracted_picture& picture, std::size_t count) {
    const auto& record = *picture.record;
    json::object out;
    out["created"] = picture.is_new;
    if (record.key.empty()) {
        out["link"] = nullptr;
    } else {
        out["link"] = link_of(picture);
    }
    out["title"] = record.title;
    out["fileName"] = record.file_name;
    out["subType"] = sub_types.name_of(record.sub_type);
    out["mediaType"] = record.descriptor(picture.which).media_type;
    out["size"] = record.descriptor(picture.which).size;
    out["count"] = count;
    return out;
}

/// What a client may know of @p why; without "Nothing was changed", since something was.
std::string_view reason_after_changes(const error& why) noexcept {
    switch (why.code) {
        case errc::busy:
            return "The server is busy.";
        case errc::unavailable:
            return "The server cannot do this at the moment.";
        case errc::read_only:
            return "The server does not accept changes at the moment.";
        case errc::unknown_outcome:
            return "It is not known whether this one was stored.";
        case errc::no_space:
            return "The server has no space left.";
        default:
            return http::public_text(why);
    }
}

/// The answer after an error that came when @p stored images had been stored. @p what could not be done.
http::response partly_done(const error& why, std::string what, std::size_t stored) {
    what += ' ';
    what += reason_after_changes(why);
    if (!what.ends_with('.')) what += '.';
    what += ' ' + std::to_string(stored) + (stored == 1 ? " new image was" : " new images were") +
            " stored before this error and not removed. Send the same document again later: the server uses "
            "what it has stored.";
    return http::error_response(why, what);
}

json::object describe(const images::extraction& done, const images::document_pictures& found,
                      const std::vector<std::size_t>& counts, const std::vector<std::string>& paths) {
    json::array made;
    json::array left;
    for (const auto& each : found.left)
        left.push_back({{"path", each.path}, {"reason", left_reasons.name_of(each.reason)}});
    for (std::size_t i = 0; i < done.pictures.size(); ++i) {
        if (done.pictures[i].record) {
            made.push_back(describe(done.pictures[i], counts[i]));
        } else if (left.size() < images::document_pictures::max_left_pictures) {
            left.push_back(
                {{"path", paths[i]}, {"reason", left_reasons.name_of(images::left_reason::unknown_etag)}});
        }
    }
    json::object facts;
    facts["images"] = std::move(made);
    facts["left"] = std::move(left);
    return facts;
}

/// The text, and the pictures in it: three quarters of it at most. When those are stored, the answer takes
/// their place. The rest is for previews, drawings that arrived compressed, and links that are longer than
/// the pictures that they replace. Of max_document_places links and the facts about max_document_images
/// images 16 MiB are enough. A small document cannot have so many: a picture and its place take 75 bytes of
/// it at least, and about 4 KB of the answer at most.
std::uint64_t memory_to_extract(std::uint64_t size) {
    return 3 * size + std::min<std::uint64_t>(16 << 20, (256 << 10) + 128 * size);
}

/// {...,"document":...} with a link in each place of a picture that has one. @p links: JSON strings, empty
/// for a picture that stays.
std::string write_links(const scanned& document, const json::object& facts,
                        const std::vector<std::string>& links) {
    auto text = begin_answer(facts);
    auto size = text.size() + document.text.size() + 1;
    for (const auto& place : document.found.places) {
        const auto& link = links[place.item];
        if (!link.empty()) size = size + link.size() - (place.end - place.begin);
    }
    text.reserve(size);
    const auto write = [&links](std::size_t item, std::string& out) {
        out += links[item];
        return !links[item].empty();
    };
    images::replace_strings(document.text, document.found.places, write, text);
    text += '}';
    return text;
}

task<result<http::response>> extract(const image_services& services, document_write_permit may,
                                     http::request& message, content_limit limit) {
    const auto dry_run = http::query_view(message.query()).get_boolean("dryRun");
    if (!dry_run) co_return dry_run.error();
    const bool is_rehearsal = dry_run->value_or(false);
    const auto owner = may.own.tenant();
    auto sent = co_await read_document(services, owner, message, limit, memory_to_extract);
    if (!sent) co_return sent.error();
    auto memory = std::move(sent->memory);
    auto document = co_await scan(services, owner, std::move(sent->text));
    if (!document) co_return document.error();

    std::vector<std::size_t> counts;
    std::vector<std::string> paths;
    std::uint64_t pictures = 0;
    for (const auto& each : document->found.pictures) {
        counts.push_back(each.count);
        paths.push_back(each.path);
        pictures += each.data.size();
    }
    const auto in_use = document->text.size() + pictures;
    const auto to_keep = memory.size() > in_use ? memory.size() - in_use : 0;
    auto done = co_await images::extract_pictures(
        services.images, std::move(may), std::exchange(document->found.pictures, {}), to_keep, is_rehearsal);
    if (!done) co_return done.error();
    if (done->failure) {
        auto what = "The picture at '" + done->failed_path + "' of the document could not be stored.";
        co_return partly_done(*done->failure, std::move(what), done->stored);
    }

    auto facts = describe(*done, document->found, counts, paths);
    if (is_rehearsal) co_return http::response::json(200, facts);
    std::vector<std::string> links;
    for (const auto& each : done->pictures)
        links.push_back(each.record ? images::link_literal(link_of(each)) : std::string());
    auto work = [document = std::move(*document), facts = std::move(facts),
                 links = std::move(links)]() -> result<std::string> {
        return write_links(document, facts, links);
    };
    auto text = co_await services.background.run(owner, std::move(work));
    if (!text && done->stored > 0)
        co_return partly_done(text.error(), "The answer could not be written.", done->stored);
    if (!text) co_return text.error();
    memory.shrink(std::min<std::uint64_t>(text->size(), memory.size()));
    co_return http::response::json_text(200, images::leased(bytes::own(std::move(*text)), std::move(memory)));
}

// ---- collect and inline ----------------------------------------------------------------------------------

struct linked {
    std::string text;  ///< UTF-8
    images::document_links found;
};

task<result<linked>> scan_links(const image_services& services, tenant_id owner, std::string sent) {
    auto work = [sent = std::move(sent)]() mutable -> result<linked> {
        auto text = images::decode_json_text(std::move(sent));
        if (!text) return text.error();
        auto found = images::find_links(*text);
        if (!found) return found.error();
        return linked{std::move(*text), std::move(*found)};
    };
    co_return co_await services.background.run(owner, std::move(work));
}

/// A text in UTF-16 is in memory a second time, in UTF-8.
std::uint64_t memory_to_find_links(std::uint64_t size) {
    return 2 * size;
}

/// What a link leads to.
struct target {
    record_ptr record;  ///< null: there is no such image
    representation which = representation::original;
    bool is_repeated = false;  ///< of an export: an earlier link leads to the same image
    body content;
};

task<result<record_ptr>> find_target(const image_services& services, const document_read_permit& may,
                                     const images::document_link& link) {
    const auto& gallery = link.is_system ? may.system : may.own;
    auto key = co_await stored_key(services.images, gallery.lend(), link.key);
    auto record = co_await services.images.find(gallery.lend(), std::move(key));
    if (!record && record.error().code == errc::not_found) co_return record_ptr();
    co_return record;
}

std::uint64_t base64_size(std::uint64_t bytes) {
    return (bytes + 2) / 3 * 4;
}

/// What an answer contains of the images.
enum class answer_form : std::uint8_t {
    exports,  ///< each image once, as an export
    in_place  ///< each in all its places, instead of the link
};

/// Bytes that the link and what was found add to an answer, at most.
std::uint64_t size_in_answer(const target& found, const images::document_link& link, answer_form form) {
    // In the list of those that are missing, or in that of the images.
    const auto fact = 2 * link.link.size() + 64;
    if (!found.record || found.is_repeated) return fact;
    const auto& record = *found.record;
    const auto data = base64_size(record.descriptor(found.which).size);
    if (form == answer_form::in_place)
        return fact + link.count * (images::embedded_head(record, found.which).size() + data + 1);
    // A name may be written with a backslash before every character.
    return fact + data + 512 + 2 * (2 * record.key.size() + record.title.size() + record.file_name.size());
}

/// What the links lead to.
struct targets {
    std::vector<target> all;  ///< in the order of the links
    std::uint64_t size = 0;   ///< of an answer with them, at most
};

/// Looks up the images of the links. In place, links to one image in different words are different links.
/// Error: too_large if an answer with them would have more than @p most bytes.
task<result<targets>> find_targets(const image_services& services, const document_read_permit& may,
                                   const linked& document, answer_form form, std::uint64_t most) {
    targets out;
    out.size = 64 + (form == answer_form::in_place ? document.text.size() : 0);
    std::set<image_id> exported;
    for (const auto& link : document.found.links) {
        auto record = co_await find_target(services, may, link);
        if (!record) co_return record.error();
        target found;
        found.record = std::move(*record);
        if (form == answer_form::in_place && link.is_preview) found.which = representation::preview;
        if (form == answer_form::exports && found.record)
            found.is_repeated = !exported.insert(found.record->id).second;
        out.size += size_in_answer(found, link, form);
        out.all.push_back(std::move(found));
    }
    if (out.size > most) {
        co_return error{errc::too_large, "The answer with the images would have about " +
                                             std::to_string(out.size) +
                                             " bytes. The limit of this server is " + std::to_string(most) +
                                             ". Split the document."};
    }
    co_return out;
}

/// Looks up and reads the images, with @p memory for the text, them and the answer. Errors: as
/// find_targets(); busy where no memory becomes available.
task<result<targets>> read_targets(const image_services& services, const document_read_permit& may,
                                   const linked& document, answer_form form, std::uint64_t most,
                                   images::byte_budget::lease& memory) {
    for (int attempt = 0; attempt < max_read_attempts; ++attempt) {
        auto found = co_await find_targets(services, may, document, form, most);
        if (!found) co_return found.error();
        // The text, the answer, and the images as a store reads them from its files.
        auto needed = document.text.size() + found->size;
        for (const auto& each : found->all) {
            if (each.record && !each.is_repeated) needed += each.record->descriptor(each.which).size;
        }
        auto grown = co_await services.memory.grow(memory, may.own.tenant(), needed);
        if (!grown) co_return grown.error();
        memory.shrink(std::min<std::uint64_t>(needed, memory.size()));
        bool is_stale = false;
        for (auto& each : found->all) {
            if (!each.record || each.is_repeated) continue;
            auto content = co_await services.images.read(each.record, each.which);
            is_stale = !content && content.error().code == errc::stale;
            if (is_stale) break;
            if (!content) co_return content.error();
            each.content = std::move(*content);
        }
        if (!is_stale) co_return std::move(*found);
    }
    co_return replaced_too_often();
}

json::array missing_links(const linked& document, const std::vector<target>& all) {
    json::array out;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].record) out.emplace_back(document.found.links[i].link);
    }
    return out;
}

error unreadable(const image_record& record) {
    return {errc::io_error, "the bytes of " + record.key + " cannot be read"};
}

/// {"resources":[...],"missing":[...]}
result<std::string> write_exports(const linked& document, const targets& found) {
    std::string text;
    text.reserve(found.size);
    text += "{\"resources\":[";
    bool is_first = true;
    for (const auto& each : found.all) {
        if (!each.record || each.is_repeated) continue;
        const auto original = each.content.load();
        if (!original) return unreadable(*each.record);
        if (!std::exchange(is_first, false)) text += ',';
        text += images::write_resource_export(*each.record, image_link(*each.record), *original);
    }
    text += "],\"missing\":";
    text += json::serialize(missing_links(document, found.all));
    text += '}';
    return text;
}

/// {"images":[...],"missing":[...],"document":...}
result<std::string> write_in_place(const linked& document, const targets& found) {
    const auto& all = found.all;
    json::array used;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].record) continue;
        const auto& link = document.found.links[i];
        used.push_back({{"link", link.link},
                        {"size", all[i].record->descriptor(all[i].which).size},
                        {"count", link.count}});
    }
    auto text = begin_answer({{"images", std::move(used)}, {"missing", missing_links(document, all)}});
    text.reserve(found.size);
    std::optional<error> failure;
    const auto write = [&](std::size_t item, std::string& out) {
        const auto& each = all[item];
        if (!each.record || failure) return false;
        const auto content = each.content.load();
        if (!content) {
            failure = unreadable(*each.record);
            return false;
        }
        out += images::embedded_head(*each.record, each.which);
        append_base64(content->span(), out);
        out += '"';
        return true;
    };
    images::replace_strings(document.text, document.found.places, write, text);
    if (failure) return *failure;
    text += '}';
    return text;
}

task<result<http::response>> answer_with_images(const image_services& services, document_read_permit may,
                                                http::request& message, content_limit limit,
                                                answer_form form) {
    const auto owner = may.own.tenant();
    auto sent = co_await read_document(services, owner, message, limit, memory_to_find_links);
    if (!sent) co_return sent.error();
    auto memory = std::move(sent->memory);
    auto document = co_await scan_links(services, owner, std::move(sent->text));
    if (!document) co_return document.error();
    auto found = co_await read_targets(services, may, *document, form, limit.bytes, memory);
    if (!found) co_return found.error();
    // Reading and encoding large pictures would delay the I/O thread's other connections.
    auto work = [form, document = std::move(*document), found = std::move(*found)] {
        return form == answer_form::exports ? write_exports(document, found)
                                            : write_in_place(document, found);
    };
    auto text = co_await services.background.run(owner, std::move(work));
    if (!text) co_return text.error();
    memory.shrink(std::min<std::uint64_t>(text->capacity(), memory.size()));
    co_return http::response::json_text(200, images::leased(bytes::own(std::move(*text)), std::move(memory)));
}

task<result<http::response>> collect(const image_services& services, document_read_permit may,
                                     http::request& message, content_limit limit) {
    return answer_with_images(services, std::move(may), message, limit, answer_form::exports);
}

task<result<http::response>> inline_images(const image_services& services, document_read_permit may,
                                           http::request& message, content_limit limit) {
    return answer_with_images(services, std::move(may), message, limit, answer_form::in_place);
}

constexpr endpoint<image_services> endpoints[] = {
    {http::method::post, "/api/images/extract", "image.extract", body_kind::document,
     allow<images_of_document<image_operation::write>, extract>},
    {http::method::post, "/api/images/collect", "image.collect", body_kind::document,
     allow<images_of_document<image_operation::read>, collect>},
    {http::method::post, "/api/images/inline", "image.inline", body_kind::document,
     allow<images_of_document<image_operation::read>, inline_images>},
};

}  // namespace

std::span<const endpoint<image_services>> image_document_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api
