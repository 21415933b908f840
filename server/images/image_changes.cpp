// SPDX-License-Identifier: Apache-2.0
// Changing images: replacing bytes, renaming, publishing.
#include "images/image_service_internal.hpp"
#include "images/keys.hpp"
#include "images/tags.hpp"

#include <gallery/clock.hpp>

#include <utility>

namespace gallery::images {

task<result<record_ptr>> image_service::replace(image_write_permit may, std::string key, picture_file file,
                                                record_check check) {
    if (auto checked = check_name(file.file_name, "file name"); !checked) co_return checked.error();
    auto current = co_await find(may.lend(), key);
    if (!current) co_return current.error();
    if (auto allowed = run_check(check, current->get()); !allowed) co_return allowed.error();
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
        const auto quota = quotas_.of(next.tenant);
        const auto rules = save_rules(precondition::match(current->rev), quota);
        auto saved = co_await store_.save(next, original, preview, rules);
        if (!saved) {
            forget(next);
            co_return saved.error();
        }
        if (saved->status == write_status::committed) {
            forget(next);
            co_return std::move(saved->record);
        }
        if (saved->status == write_status::over_limit)
            co_return co_await over_total(quota, next, current->original.size);
        if (saved->status != write_status::conflict)
            co_return no_answer_to_a_save(described.key, saved->status);
        current = saved->record;
        if (!current) co_return no_such_image(next.key);
        if (auto allowed = run_check(check, current.get()); !allowed) co_return allowed.error();
    }
    co_return contended(described.key);
}

task<result<record_ptr>> image_service::modify(image_write_permit may, std::string key, change_record change,
                                               record_check check) {
    auto found = co_await find(may.lend(), key);
    if (!found) co_return found.error();
    auto current = std::move(*found);
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        if (auto allowed = run_check(check, current.get()); !allowed) co_return allowed.error();
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

task<result<record_ptr>> image_service::tag(image_write_permit may, std::string key,
                                            std::vector<std::string> tags, record_check check) {
    auto checked = checked_tags(std::move(tags));
    if (!checked) co_return checked.error();
    change_record change = [tags = std::move(*checked)](image_record& record) { record.tags = tags; };
    co_return co_await modify(std::move(may), std::move(key), std::move(change), std::move(check));
}

task<result<record_ptr>> image_service::publish(image_write_permit may, std::string key, bool is_public,
                                                record_check check) {
    change_record change = [is_public](image_record& record) { record.is_public = is_public; };
    co_return co_await modify(std::move(may), std::move(key), std::move(change), std::move(check));
}

}  // namespace gallery::images
