// SPDX-License-Identifier: Apache-2.0
// New images: uploading and importing.
#include "images/image_service_internal.hpp"
#include "images/keys.hpp"
#include "images/resource_export.hpp"
#include "images/stored_drawing.hpp"
#include "images/tags.hpp"

#include <gallery/clock.hpp>

#include <utility>

namespace gallery::images {
namespace {

error contradicts_itself(const std::string& key) {
    return {errc::internal, "The store refused to save the image '" + key + "' " +
                                std::to_string(max_attempts) +
                                " times because the key is taken, although it has no image. The storage "
                                "plugin must be corrected."};
}

error tenant_was_deleted(const image_record& record) {
    return {errc::not_found, "The tenant " + to_string(record.tenant) + " was deleted while its image '" +
                                 record.key + "' was uploaded. Nothing was stored."};
}

}  // namespace

// Fills in what the bytes say; the file's own name and digest with it.
task<result<void>> image_service::describe(picture_file& file, image_record& record, bytes& preview) {
    if (auto small = quotas_.check_image(record.tenant, file.data.size()); !small) co_return small.error();
    imaging::upload what{record.tenant, file.digest, body(file.data), file.request_id};
    auto inspected = co_await inspect_(std::move(what));
    if (!inspected) co_return inspected.error();
    auto& picture = *inspected;
    if (!picture.document.empty()) {
        file.data = std::move(picture.document);
        file.digest = sha256(file.data.span());
        file.file_name = decompressed_name(std::move(file.file_name));
        if (auto small = quotas_.check_image(record.tenant, file.data.size()); !small)
            co_return small.error();
    }
    record.file_name = file.file_name;
    record.original = {picture.media_type, picture.width, picture.height, file.data.size(), file.digest};
    record.preview_is_original = picture.preview_is_original;
    if (picture.preview_is_original) {
        record.preview = record.original;
    } else {
        record.preview = {picture.preview_media_type, picture.preview_width, picture.preview_height,
                          picture.preview.size(), sha256(picture.preview.span())};
        preview = picture.preview;
    }
    if (record.title.empty() && record.sub_type == image_sub_type::scada_symbol &&
        check_text(picture.svg_title, ""))
        record.title = picture.svg_title;
    if (record.title.empty()) record.title = file.file_name;
    co_return result<void>();
}

task<result<checked_image>> image_service::check(image_write_permit may, new_image image) {
    if (auto checked = check_name(image.file.file_name, "file name"); !checked) co_return checked.error();
    if (!image.title.empty()) {
        if (auto checked = check_text(image.title, "title"); !checked) co_return checked.error();
    }
    checked_image out;
    out.record.tenant = may.tenant();
    out.record.title = std::move(image.title);
    out.record.sub_type = image.sub_type;
    out.record.is_public = true;
    out.record.public_key = new_public_key();
    if (auto described = co_await describe(image.file, out.record, out.preview); !described)
        co_return described.error();
    out.record.key = std::move(image.key);
    out.original = std::move(image.file.data);
    co_return out;
}

task<result<record_ptr>> image_service::upload(image_write_permit may, new_image image) {
    const bool key_is_fixed = !image.key.empty();
    auto checked = co_await check(std::move(may), std::move(image));
    if (!checked) co_return checked.error();
    co_return co_await create(std::move(checked->record), std::move(checked->original),
                              std::move(checked->preview), key_is_fixed);
}

task<result<record_ptr>> image_service::find_content(image_view_permit may, sha256_digest etag,
                                                     content_wish wish) {
    auto found = co_await store_.find_by_content(may.tenant(), etag);
    if (!found) co_return found.error();
    record_ptr best;
    for (auto& each : *found) {
        if (!wish.key.empty() && each->key == wish.key) co_return std::move(each);
        if (!best || (best->sub_type != wish.sub_type && each->sub_type == wish.sub_type)) best = each;
    }
    if (best) co_return best;
    co_return error{errc::not_found, "There is no image with the etag " + to_hex(etag) + " in this gallery."};
}

task<result<image_of_content>> image_service::store_once(image_write_permit may, checked_image image,
                                                         content_wish wish) {
    const auto etag = image.record.original.etag;
    auto turn = co_await one_at_a_time_[std::to_integer<std::size_t>(etag[0])].lock();
    auto same = co_await find_content(may.lend(), etag, std::move(wish));
    if (same) co_return image_of_content{std::move(*same), false};
    if (same.error().code != errc::not_found) co_return same.error();
    const bool key_is_fixed = !image.record.key.empty();
    auto made = co_await create(std::move(image.record), std::move(image.original), std::move(image.preview),
                                key_is_fixed);
    if (!made) co_return made.error();
    co_return image_of_content{std::move(*made), true};
}

// Each upload takes the first key that is free at the moment of its own write, so simultaneous uploads of
// one name get all the numbers without a gap.
task<result<record_ptr>> image_service::create(image_record record, bytes original, bytes preview,
                                               bool key_is_fixed) {
    record.id = image_id{random_uuid()};
    record.modified_time = now_ms();
    if (record.created_time == 0) record.created_time = record.modified_time;
    const auto wanted = record.key.empty() ? record.file_name : record.key;
    std::size_t n = 0;
    int for_nothing = 0;
    for (int clashes = 0; clashes < max_attempts;) {
        record.key = key_candidate(wanted, n);
        if (is_deleted_ && is_deleted_(record.tenant)) co_return tenant_was_deleted(record);
        const auto quota = quotas_.of(record.tenant);
        const auto rules = save_rules(precondition::absent(), quota);
        auto saved = co_await store_.save(record, original, preview, rules);
        if (!saved) {
            forget(record);
            co_return saved.error();
        }
        switch (saved->status) {
            case write_status::committed:
                forget(record);
                if (auto kept = co_await erase_if_tenant_deleted(saved->record); !kept)
                    co_return kept.error();
                co_return std::move(saved->record);
            case write_status::public_key_taken:
                record.public_key = new_public_key();
                ++clashes;
                break;
            case write_status::over_limit:
                co_return co_await over_total(quota, record, 0);
            case write_status::conflict: {
                if (key_is_fixed)
                    co_return error{errc::version_conflict,
                                    "The key '" + record.key + "' has just been taken."};
                // Looking is cheaper than trying to write where many have the same name. It begins at the key
                // that was lost: whoever took it is there, or has just left, which happens now and then.
                const auto lost = n;
                for (;; ++n) {
                    auto candidate = key_candidate(wanted, n);
                    // Of many that are taken, most are known without asking a database.
                    if (store_.find_now(record.tenant, candidate)) continue;
                    auto taken = co_await store_.find(record.tenant, std::move(candidate));
                    if (!taken && taken.error().code == errc::not_found) break;
                    if (!taken) co_return taken.error();
                }
                if (n == lost && ++for_nothing == max_attempts) co_return contradicts_itself(record.key);
                break;
            }
            default:
                co_return no_answer_to_a_save(record.key, saved->status);
        }
    }
    co_return contended(record.key);
}

// A deletion marks the tenant first and then erases its images. Therefore either the mark is found here,
// after the commit, or it was set later and the deletion finds the image. Only new images need this:
// replacing or changing an image fails once the deletion has erased it.
task<result<void>> image_service::erase_if_tenant_deleted(record_ptr created) {
    if (!is_deleted_ || !is_deleted_(created->tenant)) co_return result<void>();
    auto erased = co_await store_.erase(created->tenant, created->key, precondition::any());
    if (!erased) co_return erased.error();
    forget(*created);
    co_return tenant_was_deleted(*created);
}

task<result<record_ptr>> image_service::import(image_write_permit may, resource_export exported,
                                               record_check check) {
    // Only a key that is given selects an image. The name of a file may be that of any of them.
    const bool key_is_given = !exported.resource_key.empty();
    const bool file_is_named = !exported.file_name.empty();
    if (key_is_given) {
        if (auto checked = check_name(exported.resource_key, "resource key"); !checked)
            co_return checked.error();
        if (!file_is_named) exported.file_name = exported.resource_key;
    }
    if (auto checked = check_name(exported.file_name, "file name"); !checked) co_return checked.error();
    if (!exported.title.empty()) {
        if (auto checked = check_text(exported.title, "title"); !checked) co_return checked.error();
    }
    if (exported.tags) {
        auto checked = checked_tags(std::move(*exported.tags));
        if (!checked) co_return checked.error();
        exported.tags = std::move(*checked);
    }

    picture_file file;
    file.file_name = exported.file_name;
    file.data = bytes::own(std::move(exported.data));
    file.digest = exported.digest;
    file.request_id = std::move(exported.request_id);
    image_record record;
    record.tenant = may.tenant();
    record.key = exported.resource_key;
    record.title = exported.title;
    record.sub_type = exported.sub_type.value_or(image_sub_type::image);
    record.is_public = exported.is_public.value_or(false);
    record.public_key = is_public_key(exported.public_key) ? exported.public_key : new_public_key();
    record.created_time = exported.created_time;
    if (exported.tags) record.tags = *exported.tags;
    // Before the picture is decoded; storing decides.
    if (quotas_.of(record.tenant).max_total_bytes != 0) {
        std::uint64_t replaced = 0;
        if (key_is_given) {
            const auto current = co_await store_.find(may.tenant(), record.key);
            if (!current && current.error().code != errc::not_found) co_return current.error();
            if (auto allowed = run_check(check, current ? current->get() : nullptr); !allowed)
                co_return allowed.error();
            if (current) replaced = (*current)->original.size;
        }
        const auto room = co_await require_room(may.lend(), file.data.size(), replaced);
        if (!room) co_return room.error();
    }
    bytes preview;
    if (auto described = co_await describe(file, record, preview); !described) co_return described.error();

    if (!key_is_given) {
        if (auto allowed = run_check(check, nullptr); !allowed) co_return allowed.error();
        co_return co_await create(std::move(record), std::move(file.data), std::move(preview), false);
    }

    // What the document does not say stays as it is.
    change_record adopt = [&](image_record& next) {
        if (!exported.title.empty()) next.title = exported.title;
        if (exported.sub_type) next.sub_type = *exported.sub_type;
        if (exported.is_public) next.is_public = *exported.is_public;
        if (exported.tags) next.tags = *exported.tags;
    };
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        auto current = co_await store_.find(may.tenant(), record.key);
        auto imported = result<record_ptr>(error{});
        if (current) {
            if (auto allowed = run_check(check, current->get()); !allowed) co_return allowed.error();
            auto described = record;
            if (!file_is_named) described.file_name = (*current)->file_name;
            imported = co_await overwrite(std::move(*current), std::move(described), file.data, preview,
                                          adopt, check);
            if (imported || imported.error().code != errc::not_found) co_return imported;
        } else if (current.error().code == errc::not_found) {
            if (auto allowed = run_check(check, nullptr); !allowed) co_return allowed.error();
            imported = co_await create(record, file.data, preview, true);
            if (imported || imported.error().code != errc::version_conflict) co_return imported;
        } else {
            co_return current.error();
        }
    }
    co_return contended(record.key);
}

}  // namespace gallery::images
