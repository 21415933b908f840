// SPDX-License-Identifier: Apache-2.0
#include "images/extraction.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace gallery::images {
namespace {

content_wish wish_of(const embedded_picture& picture) {
    return {picture.key, picture.sub_type.value_or(image_sub_type::image)};
}

new_image image_of(const embedded_picture& picture) {
    new_image image;
    image.file = {picture.file_name, picture.data, picture.digest};
    image.title = picture.title;
    image.sub_type = picture.sub_type.value_or(image_sub_type::image);
    return image;
}

error with_path(error why, const embedded_picture& picture) {
    why.message = "The picture at '" + picture.path + "' of the document: " + why.message;
    return why;
}

/// The image with this content, null if there is none.
task<result<record_ptr>> find_anywhere(image_service& service, const document_write_permit& may,
                                       sha256_digest digest, content_wish wish) {
    auto own = co_await service.find_content(may.own.lend(), digest, wish);
    if (own || own.error().code != errc::not_found) co_return own;
    if (may.own.tenant() == may.system.tenant()) co_return record_ptr();
    auto of_system = co_await service.find_content(may.system.lend(), digest, std::move(wish));
    if (of_system || of_system.error().code != errc::not_found) co_return of_system;
    co_return record_ptr();
}

/// @p checked is empty where there was no memory to keep it.
task<result<image_of_content>> store(image_service& service, const document_write_permit& may,
                                     const embedded_picture& picture, std::optional<checked_image> checked) {
    if (!checked) {
        auto image = image_of(picture);
        auto again = co_await service.check(may.own.lend(), std::move(image));
        if (!again) co_return again.error();
        checked = std::move(*again);
    }
    auto wish = wish_of(picture);
    co_return co_await service.store_once(may.own.lend(), std::move(*checked), std::move(wish));
}

}  // namespace

task<result<extraction>> extract_pictures(image_service& service, document_write_permit may,
                                          std::vector<embedded_picture> pictures, std::uint64_t preview_bytes,
                                          bool is_rehearsal) {
    extraction out;
    out.pictures.resize(pictures.size());
    std::vector<std::optional<checked_image>> checked(pictures.size());
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        const auto& picture = pictures[i];
        const auto wish = wish_of(picture);
        auto& became = out.pictures[i];
        auto known = co_await find_anywhere(service, may, picture.digest, wish);
        if (!known) co_return with_path(known.error(), picture);
        became.record = std::move(*known);
        if (became.record || picture.data.empty()) continue;
        auto image = image_of(picture);
        auto passed = co_await service.check(may.own.lend(), std::move(image));
        if (!passed) co_return with_path(passed.error(), picture);
        if (passed->record.original.etag != picture.digest) {
            // A compressed drawing is stored without its compression.
            known = co_await find_anywhere(service, may, passed->record.original.etag, wish);
            if (!known) co_return with_path(known.error(), picture);
            became.record = std::move(*known);
            if (became.record) continue;
        }
        if (is_rehearsal) {
            became = {std::make_shared<const image_record>(std::move(passed->record)), true};
        } else if (passed->preview.size() <= preview_bytes) {
            preview_bytes -= passed->preview.size();
            checked[i] = std::move(*passed);
        }
    }
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        const auto& picture = pictures[i];
        if (out.pictures[i].record || picture.data.empty()) continue;
        auto stored = co_await store(service, may, picture, std::move(checked[i]));
        checked[i].reset();
        if (!stored) {
            if (out.stored == 0) co_return with_path(stored.error(), picture);
            out.failure = with_path(stored.error(), picture);
            co_return out;
        }
        if (stored->is_new) ++out.stored;
        out.pictures[i] = {std::move(stored->record), stored->is_new};
    }
    co_return out;
}

}  // namespace gallery::images
