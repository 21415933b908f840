// SPDX-License-Identifier: Apache-2.0
#include "images/image_service.hpp"

#include "images/keys.hpp"
#include "images/resource_export.hpp"

#include <gallery/clock.hpp>

#include <algorithm>
#include <utility>

namespace gallery::images {
namespace {

// How often a write is tried again after somebody else was faster. Each loss means that another write
// succeeded, so this many losses in a row mean that the image is being hammered.
constexpr int max_attempts = 64;

error contended(const std::string& key) {
    return {errc::busy, "The image '" + key + "' is being changed by too many other requests. Try again."};
}

result<void> look(const record_check& check, const image_record* current) {
    return check ? check(current) : result<void>();
}

// "pump.svgz" and "pump.svg.gz" as "pump.svg", which is what is stored.
std::string decompressed_name(std::string name) {
    const auto ends_with = [&name](std::string_view lower) {
        return name.size() > lower.size() &&
               std::equal(lower.begin(), lower.end(), name.end() - static_cast<std::ptrdiff_t>(lower.size()),
                          [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
    };
    if (ends_with(".svgz")) name.pop_back();
    if (ends_with(".svg.gz")) name.resize(name.size() - 3);
    return name;
}

error contradicts_itself(const std::string& key) {
    return {errc::internal, "The store refused to save the image '" + key + "' " +
                                std::to_string(max_attempts) +
                                " times because the key is taken, although it has no image. The storage "
                                "plugin must be corrected."};
}

error no_answer_to_a_save(const std::string& key, write_status status) {
    return {errc::internal,
            "The store answered saving the image '" + key + "' with the status " +
                std::to_string(static_cast<int>(status)) +
                ", expected committed, conflict or public_key_taken. The storage plugin must be corrected."};
}

error no_such_image(const std::string& key) {
    return {errc::not_found, "There is no image with the key '" + key + "' in this gallery."};
}

}  // namespace

image_service::image_service(image_store& store, cache::etag_cache& etags, inspect_picture inspect,
                             tenant_gone gone, const cache::freshness& fresh)
    : store_(store), etags_(etags), inspect_(std::move(inspect)), gone_(std::move(gone)), fresh_(fresh) {}

// Fills in what the bytes say; the file's own name and digest with it.
task<result<void>> image_service::describe(picture_file& file, image_record& record, bytes& preview) {
    imaging::upload what{record.tenant, file.digest, body(file.data)};
    auto inspected = co_await inspect_(std::move(what));
    if (!inspected) co_return inspected.error();
    auto& picture = *inspected;
    if (!picture.document.empty()) {
        file.data = std::move(picture.document);
        file.digest = sha256(file.data.span());
        file.file_name = decompressed_name(std::move(file.file_name));
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

task<result<record_ptr>> image_service::upload(image_write_permit may, new_image image) {
    if (auto checked = check_name(image.file.file_name, "file name"); !checked) co_return checked.error();
    if (!image.title.empty()) {
        if (auto checked = check_text(image.title, "title"); !checked) co_return checked.error();
    }
    image_record record;
    record.tenant = may.tenant();
    record.title = std::move(image.title);
    record.sub_type = image.sub_type;
    record.is_public = true;
    record.public_key = new_public_key();
    bytes preview;
    if (auto described = co_await describe(image.file, record, preview); !described)
        co_return described.error();
    const bool key_is_fixed = !image.key.empty();
    record.key = std::move(image.key);
    co_return co_await create(std::move(record), std::move(image.file.data), std::move(preview),
                              key_is_fixed);
}

// Each upload takes the first key that is free at the moment of its own write, so simultaneous uploads of
// one name get all the numbers without a gap.
task<result<record_ptr>> image_service::create(image_record record, bytes original, bytes preview,
                                               bool key_is_fixed) {
    record.id = image_id{random_uuid()};
    record.created_time = record.modified_time = now_ms();
    const auto wanted = record.key.empty() ? record.file_name : record.key;
    std::size_t n = 0;
    int for_nothing = 0;
    for (int clashes = 0; clashes < max_attempts;) {
        record.key = key_candidate(wanted, n);
        auto saved = co_await store_.save(record, original, preview, precondition::absent());
        if (!saved) {
            forget(record);
            co_return saved.error();
        }
        switch (saved->status) {
            case write_status::committed:
                forget(record);
                if (auto kept = co_await belongs_to_somebody(saved->record); !kept) co_return kept.error();
                co_return std::move(saved->record);
            case write_status::public_key_taken:
                record.public_key = new_public_key();
                ++clashes;
                break;
            case write_status::conflict: {
                if (key_is_fixed)
                    co_return error{errc::version_conflict,
                                    "The key '" + record.key + "' has just been taken."};
                // Looking is cheaper than trying to write where many have the same name. It begins at the key
                // that was lost: whoever took it is there, or has just left, which happens now and then.
                const auto lost = n;
                for (;; ++n) {
                    auto candidate = key_candidate(wanted, n);
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

// A deletion marks the tenant first and then erases what it has. So either the mark is seen here, after the
// commit, or it came later and the deletion finds the image. Only new images need this: what replaces or
// changes an image is refused where the deletion has erased it.
task<result<void>> image_service::belongs_to_somebody(record_ptr created) {
    if (!gone_ || !gone_(created->tenant)) co_return result<void>();
    auto erased = co_await store_.erase(created->tenant, created->key, precondition::any());
    if (!erased) co_return erased.error();
    forget(*created);
    co_return error{errc::not_found, "The tenant " + to_string(created->tenant) +
                                         " was deleted while its image '" + created->key +
                                         "' was uploaded. Nothing was stored."};
}

task<result<record_ptr>> image_service::replace(image_write_permit may, std::string key, picture_file file,
                                                record_check check) {
    if (auto checked = check_name(file.file_name, "file name"); !checked) co_return checked.error();
    auto current = co_await find(may.lend(), key);
    if (!current) co_return current.error();
    if (auto allowed = look(check, current->get()); !allowed) co_return allowed.error();
    image_record described = **current;
    bytes preview;
    if (auto done = co_await describe(file, described, preview); !done) co_return done.error();
    auto original = file.data;
    change_record nothing_else;
    co_return co_await overwrite(std::move(*current), std::move(described), std::move(original),
                                 std::move(preview), std::move(nothing_else), std::move(check));
}

// Puts what describe() found into whichever record is current, so that a title given in between stays.
task<result<record_ptr>> image_service::overwrite(record_ptr current, image_record described, bytes original,
                                                  bytes preview, change_record adopt, record_check check) {
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        image_record next = *current;
        next.file_name = described.file_name;
        next.original = described.original;
        next.preview = described.preview;
        next.preview_is_original = described.preview_is_original;
        next.modified_time = now_ms();
        if (adopt) adopt(next);
        auto saved = co_await store_.save(next, original, preview, precondition::match(current->rev));
        if (!saved) {
            forget(next);
            co_return saved.error();
        }
        if (saved->status == write_status::committed) {
            forget(next);
            co_return std::move(saved->record);
        }
        if (saved->status != write_status::conflict)
            co_return no_answer_to_a_save(described.key, saved->status);
        current = saved->record;
        if (!current) co_return no_such_image(next.key);
        if (auto allowed = look(check, current.get()); !allowed) co_return allowed.error();
    }
    co_return contended(described.key);
}

task<result<record_ptr>> image_service::modify(image_write_permit may, std::string key, change_record change,
                                               record_check check) {
    auto found = co_await find(may.lend(), key);
    if (!found) co_return found.error();
    auto current = std::move(*found);
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        if (auto allowed = look(check, current.get()); !allowed) co_return allowed.error();
        image_record next = *current;
        next.modified_time = now_ms();
        change(next);
        auto updated = co_await store_.update(next, precondition::match(current->rev));
        if (!updated) {
            forget(next);
            co_return updated.error();
        }
        if (updated->status == write_status::committed) {
            forget(next);
            co_return std::move(updated->record);
        }
        current = updated->record;
        if (!current) co_return no_such_image(key);
    }
    co_return contended(key);
}

task<result<record_ptr>> image_service::rename(image_write_permit may, std::string key, std::string title,
                                               record_check check) {
    if (auto checked = check_text(title, "title"); !checked) co_return checked.error();
    change_record change = [title = std::move(title)](image_record& record) { record.title = title; };
    co_return co_await modify(std::move(may), std::move(key), std::move(change), std::move(check));
}

task<result<record_ptr>> image_service::publish(image_write_permit may, std::string key, bool is_public,
                                                record_check check) {
    change_record change = [is_public](image_record& record) { record.is_public = is_public; };
    co_return co_await modify(std::move(may), std::move(key), std::move(change), std::move(check));
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

    picture_file file;
    file.file_name = exported.file_name;
    file.data = bytes::own(std::move(exported.data));
    file.digest = sha256(file.data.span());
    image_record record;
    record.tenant = may.tenant();
    record.key = exported.resource_key;
    record.title = exported.title;
    record.sub_type = exported.sub_type.value_or(image_sub_type::image);
    record.is_public = exported.is_public.value_or(false);
    record.public_key = is_public_key(exported.public_key) ? exported.public_key : new_public_key();
    bytes preview;
    if (auto described = co_await describe(file, record, preview); !described) co_return described.error();

    if (!key_is_given) {
        if (auto allowed = look(check, nullptr); !allowed) co_return allowed.error();
        co_return co_await create(std::move(record), std::move(file.data), std::move(preview), false);
    }

    // What the document does not say stays as it is.
    change_record adopt = [&](image_record& next) {
        if (!exported.title.empty()) next.title = exported.title;
        if (exported.sub_type) next.sub_type = *exported.sub_type;
        if (exported.is_public) next.is_public = *exported.is_public;
    };
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        auto current = co_await store_.find(may.tenant(), record.key);
        auto imported = result<record_ptr>(error{});
        if (current) {
            if (auto allowed = look(check, current->get()); !allowed) co_return allowed.error();
            auto described = record;
            if (!file_is_named) described.file_name = (*current)->file_name;
            imported = co_await overwrite(std::move(*current), std::move(described), file.data, preview,
                                          adopt, check);
            if (imported || imported.error().code != errc::not_found) co_return imported;
        } else if (current.error().code == errc::not_found) {
            if (auto allowed = look(check, nullptr); !allowed) co_return allowed.error();
            imported = co_await create(record, file.data, preview, true);
            if (imported || imported.error().code != errc::version_conflict) co_return imported;
        } else {
            co_return current.error();
        }
    }
    co_return contended(record.key);
}

task<result<void>> image_service::erase(image_write_permit may, std::string key, record_check check) {
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        auto current = co_await find(may.lend(), key);
        if (!current) co_return current.error();
        if (auto allowed = look(check, current->get()); !allowed) co_return allowed.error();
        auto erased = co_await store_.erase(may.tenant(), key, precondition::match((*current)->rev));
        if (!erased) {
            forget(**current);
            co_return erased.error();
        }
        if (erased->status == write_status::committed) {
            forget(**current);
            co_return result<void>();
        }
    }
    co_return contended(key);
}

task<result<void>> image_service::erase_all(image_write_permit may) {
    for (;;) {
        std::string from_the_start;
        auto page = co_await store_.scan(may.tenant(), std::move(from_the_start), 256);
        if (!page) co_return page.error();
        if (page->items.empty()) break;
        for (const auto& record : page->items) {
            auto erased = co_await store_.erase(may.tenant(), record->key, precondition::any());
            if (!erased) {
                forget(*record);
                co_return erased.error();
            }
            forget(*record);
        }
    }
    for (;;) {
        std::string from_the_start;
        auto page =
            co_await store_.kept(may.tenant(), kept_order::oldest_first, std::move(from_the_start), 256);
        if (!page) co_return page.error();
        if (page->items.empty()) co_return result<void>();
        for (const auto& version : page->items) {
            auto dropped = co_await store_.drop_kept(version.record->id, version.record->content_rev);
            if (!dropped) co_return dropped.error();
        }
    }
}

task<result<std::uint64_t>> image_service::count(image_read_permit may) {
    const auto used = co_await store_.usage(may.tenant());
    if (!used) co_return used.error();
    co_return used->images.count;
}

task<result<record_ptr>> image_service::find(image_view_permit may, std::string key) {
    auto found = co_await store_.find(may.tenant(), key);
    if (!found && found.error().code == errc::not_found) co_return no_such_image(key);
    co_return found;
}

task<result<record_ptr>> image_service::find_public(std::string public_key) {
    const error missing{
        errc::not_found,
        "There is no public image at this link. It may have been deleted or is no longer shared."};
    if (!is_public_key(public_key)) co_return missing;
    auto found = co_await store_.find_by_public_key(std::move(public_key));
    if (found ? !(*found)->is_public : found.error().code == errc::not_found) co_return missing;
    co_return found;
}

task<result<body>> image_service::read(record_ptr record, representation which) {
    return store_.read(std::move(record), which);
}

std::optional<record_ptr> image_service::find_now(const image_view_permit& may, std::string_view key) {
    if (!fresh_.holds()) [[unlikely]]
        return std::nullopt;
    return store_.find_now(may.tenant(), key);
}

std::optional<record_ptr> image_service::find_public_now(std::string_view public_key) {
    if (!is_public_key(public_key) || !fresh_.holds()) return std::nullopt;
    auto found = store_.find_by_public_key_now(public_key);
    if (found && !(*found)->is_public) return std::nullopt;
    return found;
}

std::optional<body> image_service::read_now(const image_record& record, representation which) {
    return store_.read_now(record, which);
}

task<result<image_page>> image_service::list(image_read_permit may, image_query query) {
    query.tenant = may.tenant();
    return store_.list(std::move(query));
}

// Also where the write failed: it may have happened all the same.
void image_service::forget(const image_record& record) noexcept {
    etags_.invalidate(record.tenant, record.key);
    etags_.invalidate_public(record.public_key);
}

}  // namespace gallery::images
