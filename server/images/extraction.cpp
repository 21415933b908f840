// SPDX-License-Identifier: Apache-2.0
#include "images/extraction.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

namespace gallery::images {
namespace {

content_wish wish_of(const embedded_picture& picture) {
    return {picture.key, picture.sub_type.value_or(image_sub_type::image)};
}

new_image image_of(const embedded_picture& picture, const std::string& request_id) {
    new_image image;
    image.file = {picture.file_name, picture.data, picture.digest, request_id};
    image.title = picture.title;
    image.sub_type = picture.sub_type.value_or(image_sub_type::image);
    return image;
}

error with_path(error why, const embedded_picture& picture) {
    why.message = "The picture at '" + picture.path + "' of the document: " + why.message;
    return why;
}

/// The image under a key if it has these bytes.
task<result<extracted_picture>> find_under_key(image_service& service, image_view_permit may,
                                               sha256_digest digest, std::string key) {
    auto record = co_await service.find(std::move(may), std::move(key));
    if (!record && record.error().code == errc::not_found) co_return extracted_picture{};
    if (!record) co_return record.error();
    extracted_picture out;
    if ((*record)->original.etag == digest) {
        out.record = std::move(*record);
    } else if ((*record)->preview.etag == digest) {
        out.record = std::move(*record);
        out.which = representation::preview;
    }
    co_return out;
}

/// The image with these bytes; without a record if there is none.
task<result<extracted_picture>> find_anywhere(image_service& service, const document_write_permit& may,
                                              sha256_digest digest, content_wish wish) {
    const bool has_system = may.own.tenant() != may.system.tenant();
    if (!wish.key.empty()) {
        auto own = co_await find_under_key(service, may.own.lend(), digest, wish.key);
        if (!own || own->record) co_return own;
        if (has_system) {
            auto of_system = co_await find_under_key(service, may.system.lend(), digest, wish.key);
            if (!of_system || of_system->record) co_return of_system;
        }
    }
    extracted_picture out;
    auto own = co_await service.find_content(may.own.lend(), digest, wish);
    if (!own && own.error().code != errc::not_found) co_return own.error();
    if (own) out.record = std::move(*own);
    if (own || !has_system) co_return out;
    auto of_system = co_await service.find_content(may.system.lend(), digest, std::move(wish));
    if (!of_system && of_system.error().code != errc::not_found) co_return of_system.error();
    if (of_system) out.record = std::move(*of_system);
    co_return out;
}

/// Bytes that keeping @p checked takes beside the picture.
std::uint64_t size_of(const checked_image& checked, const embedded_picture& picture) noexcept {
    std::uint64_t out = checked.preview.size();
    // A compressed drawing has become larger.
    if (checked.original.owner() != picture.data.owner()) out += checked.original.size();
    return out;
}

/// @p checked is empty where there was no memory to keep it.
task<result<image_of_content>> store(image_service& service, const document_write_permit& may,
                                     const embedded_picture& picture, std::optional<checked_image> checked,
                                     const std::string& request_id) {
    if (!checked) {
        auto image = image_of(picture, request_id);
        auto again = co_await service.check(may.own.lend(), std::move(image));
        if (!again) co_return again.error();
        checked = std::move(*again);
    }
    auto wish = wish_of(picture);
    co_return co_await service.store_once(may.own.lend(), std::move(*checked), std::move(wish));
}

}  // namespace

task<result<extraction>> extract_pictures(image_service& service, document_write_permit may,
                                          std::vector<embedded_picture> pictures, std::uint64_t kept_bytes,
                                          bool is_rehearsal, std::string request_id) {
    extraction out;
    out.pictures.resize(pictures.size());
    std::vector<std::optional<checked_image>> checked(pictures.size());
    // A drawing may be there compressed and uncompressed.
    std::unordered_set<sha256_digest, digest_hash> coming;
    std::uint64_t coming_bytes = 0;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        const auto& picture = pictures[i];
        const auto wish = wish_of(picture);
        auto& became = out.pictures[i];
        auto known = co_await find_anywhere(service, may, picture.digest, wish);
        if (!known) co_return with_path(known.error(), picture);
        became = std::move(*known);
        if (became.record || picture.data.empty()) continue;
        auto image = image_of(picture, request_id);
        auto passed = co_await service.check(may.own.lend(), std::move(image));
        if (!passed) co_return with_path(passed.error(), picture);
        if (passed->record.original.etag != picture.digest) {
            // A compressed drawing is stored without its compression.
            known = co_await find_anywhere(service, may, passed->record.original.etag, wish);
            if (!known) co_return with_path(known.error(), picture);
            became = std::move(*known);
            if (became.record) continue;
        }
        const bool is_first = coming.insert(passed->record.original.etag).second;
        if (is_first) coming_bytes += passed->record.original.size;
        if (is_rehearsal) {
            became.is_new = is_first;
            became.record = std::make_shared<const image_record>(std::move(passed->record));
        } else if (const auto size = size_of(*passed, picture); size <= kept_bytes) {
            kept_bytes -= size;
            checked[i] = std::move(*passed);
        }
    }
    if (coming_bytes > 0) {
        auto asking = service.require_room(may.own.lend(), coming_bytes, 0);
        if (const auto room = co_await std::move(asking); !room) co_return room.error();
    }
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        const auto& picture = pictures[i];
        if (out.pictures[i].record || picture.data.empty()) continue;
        auto stored = co_await store(service, may, picture, std::move(checked[i]), request_id);
        checked[i].reset();
        if (!stored) {
            if (out.stored == 0) co_return with_path(stored.error(), picture);
            out.failure = stored.error();
            out.failed_path = picture.path;
            co_return out;
        }
        if (stored->is_new) ++out.stored;
        out.pictures[i].is_new = stored->is_new;
        out.pictures[i].record = std::move(stored->record);
    }
    co_return out;
}

}  // namespace gallery::images
