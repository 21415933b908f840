// SPDX-License-Identifier: Apache-2.0
// Moving bodies that were stored with other options, or by earlier versions: from the database to files or
// back.
//
// A body is moved in one batch: its new place appears and the old one disappears. Neither the record nor its
// revision changes, so readers and the feed see nothing of it. A reader that finds the body in neither place
// looks again (read_verified()). A move can be interrupted at any moment and repeated.
#include "codec.hpp"
#include "records.hpp"
#include "store.hpp"

#include <gallery/kit/rules.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace gallery::rocks {
namespace {

constexpr std::size_t page_size = 256;
constexpr std::size_t most_problems = 1000;

}  // namespace

/// What the writers' threads share while they move the bodies of one page.
struct store::rewriting {
    mutex guard;
    condition_variable ended;
    std::size_t next GALLERY_GUARDED_BY(guard) = 0;
    std::size_t running GALLERY_GUARDED_BY(guard) = 0;
    rewrite_report report GALLERY_GUARDED_BY(guard);
    std::optional<error> failure GALLERY_GUARDED_BY(guard);

    void note(const error& what) GALLERY_REQUIRES(guard) {
        if (what.code != errc::corrupt)
            failure = what;
        else if (report.problems.size() < most_problems)
            report.problems.push_back(what.message);
    }
};

task<result<rewrite_report>> store::rewrite_bodies(std::function<void(std::uint64_t)> progress) {
    auto work = [this, progress = std::move(progress)] {
        return guarded([&] { return rewrite_now(progress); });
    };
    co_return co_await offload(readers_, std::move(work));
}

result<rewrite_report> store::rewrite_now(const std::function<void(std::uint64_t)>& progress) {
    rewriting shared;
    std::uint64_t images = 0;
    const auto next_page = [&](std::vector<record_ptr>&& page) -> std::optional<error> {
        images += page.size();
        if (auto failed = rewrite_page(shared, page)) return failed;
        if (progress) progress(images);
        return std::nullopt;
    };
    auto failed = rewrite_records(shared, next_page);
    if (!failed) failed = rewrite_kept(shared, next_page);
    const lock_guard lock(shared.guard);
    // What was moved left garbage in blob files.
    if (shared.report.bodies != 0) engine_->collect_garbage();
    if (!failed) return std::move(shared.report);
    failed->message += " " + std::to_string(shared.report.bodies) +
                       " bodies were moved before. Repeat the command to move the others.";
    return std::move(*failed);
}

std::optional<error> store::rewrite_records(rewriting& shared, const page_function& next_page) {
    std::string cursor;
    do {
        auto found = scan_readable_now(cursor, page_size);
        if (!found) return found.error();
        note_unreadable(shared, found->unreadable);
        if (auto failed = next_page(std::move(found->page.items))) return failed;
        cursor = std::move(found->page.cursor);
    } while (!cursor.empty());
    return std::nullopt;
}

std::optional<error> store::rewrite_kept(rewriting& shared, const page_function& next_page) {
    std::string cursor;
    do {
        std::vector<std::string> unreadable;
        auto page = kept_now(kept_order_prefix(), kept_order::oldest_first, cursor, page_size, &unreadable);
        if (!page) return page.error();
        note_unreadable(shared, unreadable);
        std::vector<record_ptr> records;
        for (auto& version : page->items)
            records.push_back(std::move(version.record));
        if (auto failed = next_page(std::move(records))) return failed;
        cursor = std::move(page->cursor);
    } while (!cursor.empty());
    return std::nullopt;
}

void store::note_unreadable(rewriting& shared, const std::vector<std::string>& texts) {
    const lock_guard lock(shared.guard);
    for (const auto& text : texts)
        shared.note({errc::corrupt, text});
}

std::optional<error> store::rewrite_page(rewriting& shared, const std::vector<record_ptr>& page) {
    const auto work = [&] {
        const lock_guard lock(shared.guard);
        while (shared.next < page.size() && !shared.failure) {
            const auto& record = *page[shared.next++];
            result<rewrite_report> moved = rewrite_report();
            {
                const unlock_guard unlocked(shared.guard);
                moved = guarded([&] { return move_bodies(record); });
            }
            if (!moved) {
                shared.note(moved.error());
                continue;
            }
            shared.report.bodies += moved->bodies;
            shared.report.bytes += moved->bytes;
        }
        --shared.running;
        shared.ended.notify_all();
    };
    const lock_guard lock(shared.guard);
    shared.next = 0;
    shared.running = std::min<std::size_t>(options_.writers, page.size());
    for (std::size_t i = shared.running; i > 0; --i)
        asio::post(writers_, work);
    while (shared.running != 0)
        shared.ended.wait(shared.guard);
    return shared.failure;
}

result<rewrite_report> store::move_bodies(const image_record& record) {
    rewrite_report moved;
    const std::string kept = kept_key(record.id, record.content_rev);
    const std::string key = record_key(record.tenant, record.key);
    for (const auto which : {representation::original, representation::preview}) {
        if (which == representation::preview && record.preview_is_original) continue;
        const auto size = record.descriptor(which).size;
        const bool to_file = is_file_size(size);
        // Whoever removes the body holds one of these.
        const auto locked = names_.lock({key, kept});
        const auto file = files_.find(record.id, record.content_rev, which, engine::reach::disk_aside);
        if (!file) return file.error();
        if (file->has_value() == to_file) continue;
        const auto content = read_verified(record, which, kit::read_purpose::check);
        if (!content && content.error().code == errc::stale) continue;
        if (!content) return content.error();
        auto staged = stage_body(record.id, which, *content);
        if (!staged) return staged.error();

        rocksdb::WriteBatch batch;
        auto* const bodies = engine_->handle(family::bodies);
        const auto name = body_key(record.id, record.content_rev, which);
        std::vector<body_files::draft> added;
        if (staged->file) {
            files_.put_reference(batch, staged->file->file(), record.content_rev);
            batch.Delete(bodies, name);
            added.push_back(std::move(*staged->file));
        } else {
            batch.Put(bodies, name, slice(staged->memory.view()));
            files_.put_removal(batch, **file, record.content_rev);
        }
        if (auto done = commit(batch, reserve_share::none, added); !done) return done.error();
        if (*file) {
            open_files_.erase(kit::body_name{record.id, record.content_rev, which});
            files_.remove({**file});
        }
        ++moved.bodies;
        moved.bytes += size;
    }
    return moved;
}

}  // namespace gallery::rocks
