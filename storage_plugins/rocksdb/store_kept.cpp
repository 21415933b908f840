// SPDX-License-Identifier: Apache-2.0
// Versions of images that were kept when they were replaced or erased.
#include "codec.hpp"
#include "cursors.hpp"
#include "records.hpp"
#include "store.hpp"

#include <gallery/kit/rules.hpp>

namespace gallery::rocks {
namespace {

error damaged_version(std::string_view key) {
    std::string name = "a kept version";
    if (key.size() == 1 + id_size + 8)
        name = "version " + std::to_string(read_big_endian(key.substr(1 + id_size))) + " of the image " +
               to_string(id_from<image_id>(key.substr(1)));
    return {errc::corrupt, "The record of " + name + " cannot be read. Restore the store from a backup."};
}

/// For cursors: kept(), of one tenant or all, and kept_of() take their own only.
std::string scan_name(const std::string& prefix, kept_order order) {
    return "kept" + prefix + (order == kept_order::newest_first ? '-' : '+');
}

}  // namespace

result<std::optional<kept_version>> store::load_kept(const std::string& key, engine::reach how,
                                                     const snapshot_ptr& at) const {
    rocksdb::PinnableSlice value;
    const auto status = engine_->get(family::lookup, key, value, how, at);
    if (status.IsNotFound()) return std::optional<kept_version>();
    if (!status.ok()) return to_error(status, "reading a kept version");
    auto version = decode_kept(key, view(value));
    if (!version) return damaged_version(key);
    return std::optional<kept_version>(std::move(version));
}

task<result<kept_version>> store::find_kept(image_id id, revision content_rev) {
    auto work = [this, id, content_rev] {
        return guarded([&]() -> result<kept_version> {
            auto found = load_kept(kept_key(id, content_rev), engine::reach::disk);
            if (!found) return found.error();
            if (!*found) return kit::no_such_version(id, content_rev);
            return std::move(**found);
        });
    };
    co_return co_await offload(readers_, std::move(work));
}

task<result<scan_page<kept_version>>> store::kept(std::optional<tenant_id> tenant, kept_order order,
                                                  std::string cursor, std::size_t limit) {
    auto prefix = tenant ? kept_order_prefix(*tenant) : kept_order_prefix();
    return kept_through(std::move(prefix), order, std::move(cursor), limit);
}

task<result<scan_page<kept_version>>> store::kept_of(image_id id, std::string cursor, std::size_t limit) {
    return kept_through(kept_order_prefix(id), kept_order::newest_first, std::move(cursor), limit);
}

task<result<scan_page<kept_version>>> store::kept_through(std::string prefix, kept_order order,
                                                          std::string cursor, std::size_t limit) {
    auto work = [this, prefix = std::move(prefix), order, cursor = std::move(cursor), limit] {
        return guarded([&] { return kept_now(prefix, order, cursor, limit, nullptr); });
    };
    co_return co_await offload(readers_, std::move(work));
}

task<result<checked_page<kept_version>>> store::kept_readable(std::string cursor, std::size_t limit) {
    auto work = [this, cursor = std::move(cursor), limit] {
        return guarded([&]() -> result<checked_page<kept_version>> {
            checked_page<kept_version> found;
            auto page =
                kept_now(kept_order_prefix(), kept_order::oldest_first, cursor, limit, &found.unreadable);
            if (!page) return page.error();
            found.page = std::move(*page);
            return found;
        });
    };
    co_return co_await offload(readers_, std::move(work));
}

result<scan_page<kept_version>> store::kept_now(const std::string& prefix, kept_order order,
                                                const std::string& cursor, std::size_t limit,
                                                std::vector<std::string>* unreadable) const {
    if (limit == 0) return kit::bad_limit();
    const auto name = scan_name(prefix, order);
    const bool newest_first = order == kept_order::newest_first;
    engine::range bounds{prefix, after_prefix(prefix)};
    if (!cursor.empty()) {
        auto last = parse_cursor(name, cursor);
        if (!last || !last->starts_with(prefix)) return kit::bad_cursor("kept versions", cursor);
        if (newest_first) {
            bounds.below = std::move(*last);
        } else {
            bounds.from = std::move(*last);
            bounds.from.push_back('\0');
        }
    }
    const auto at = engine_->snapshot();
    scan_page<kept_version> page;
    auto entry = engine_->iterate(family::lookup, std::move(bounds), engine::reach::disk_aside, at);
    std::string last_key;
    for (newest_first ? entry->SeekToLast() : entry->SeekToFirst(); entry->Valid();
         newest_first ? entry->Prev() : entry->Next()) {
        if (page.items.size() + (unreadable == nullptr ? 0 : unreadable->size()) == limit) {
            page.cursor = make_cursor(name, last_key);
            break;
        }
        last_key = entry.key();
        auto version = load_kept(std::string(entry.value()), engine::reach::disk_aside, at);
        if (version && !*version) version = damaged_version(entry.value());
        if (version) {
            page.items.push_back(std::move(**version));
        } else {
            if (unreadable == nullptr || !is_damage(version.error())) return version.error();
            unreadable->push_back(version.error().message);
        }
    }
    if (!entry->status().ok()) return to_error(entry->status(), "reading kept versions");
    return page;
}

void store::put_kept(rocksdb::WriteBatch& batch, const kept_version& version) const {
    auto* const lookup = engine_->handle(family::lookup);
    const auto& record = *version.record;
    const auto key = kept_key(record.id, record.content_rev);
    batch.Put(lookup, key, encode_kept(key, version));
    for (auto prefix : {kept_order_prefix(), kept_order_prefix(record.tenant), kept_order_prefix(record.id)})
        batch.Put(lookup, kept_order_key(std::move(prefix), version.kept_rev), key);
}

task<result<write_outcome>> store::save_kept(image_record record, body original, body preview,
                                             std::int64_t kept_time, bool is_erased) {
    if (record.preview_is_original) preview = body();
    if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
    const std::uint64_t size = original.size() + preview.size();
    auto work = [this, record = std::move(record), original = std::move(original),
                 preview = std::move(preview), kept_time, is_erased]() mutable {
        return guarded([&] { return save_kept_now(record, original, preview, kept_time, is_erased); });
    };
    co_return co_await kit::offload_through(gate_, writers_, size, std::move(work));
}

result<write_outcome> store::save_kept_now(image_record& record, const body& original, const body& preview,
                                           std::int64_t kept_time, bool is_erased) {
    auto bodies = stage_bodies(record, original, preview);
    if (!bodies) return bodies.error();
    open_write write(*this, 1, bodies->in_memory() + 8192);
    record.rev = record.content_rev = write.rev();
    const auto stored = std::make_shared<const image_record>(std::move(record));
    auto& batch = write.batch();
    put_bodies(write, *stored, std::move(*bodies));
    put_kept(batch, {stored, write.rev(), kept_time, is_erased});
    const auto by = kit::usage_book::of_keeping(*stored);
    count_usage(batch, stored->tenant, by);
    put_change(batch, kit::image_change(change::kind::version_kept, *stored, write.rev(), write.rev()));
    if (auto done = write.commit(reserve_share::none); !done) return done.error();
    usage_.apply(stored->tenant, by);
    kept_versions_.fetch_add(1, std::memory_order_relaxed);
    write.committed();
    return write_outcome{write_status::committed, stored->rev, stored, stored->rev};
}

task<result<write_outcome>> store::drop_kept(image_id id, revision content_rev) {
    auto work = [this, id, content_rev] { return guarded([&] { return drop_kept_now(id, content_rev); }); };
    co_return co_await offload(writers_, std::move(work));
}

result<write_outcome> store::drop_kept_now(image_id id, revision content_rev) {
    const auto key = kept_key(id, content_rev);
    const auto locked = names_.lock({key});
    const auto found = load_kept(key, engine::reach::disk);
    if (!found) return found.error();
    if (!*found) return write_outcome{write_status::absent, 0, nullptr};
    const auto& version = **found;
    const auto& record = *version.record;

    open_write write(*this);
    auto& batch = write.batch();
    auto* const lookup = engine_->handle(family::lookup);
    batch.Delete(lookup, key);
    for (auto prefix : {kept_order_prefix(), kept_order_prefix(record.tenant), kept_order_prefix(record.id)})
        batch.Delete(lookup, kept_order_key(std::move(prefix), version.kept_rev));
    if (auto deleted = delete_bodies(write, record); !deleted) return deleted.error();
    const auto by = kit::usage_book::of_dropping(record);
    count_usage(batch, record.tenant, by);
    const revision rev = write.rev();
    put_change(batch, kit::image_change(change::kind::version_dropped, record, rev, content_rev));
    const auto done = write.commit(reserve_share::all);
    invalidate_bodies(record);
    if (!done) return done.error();
    usage_.apply(record.tenant, by);
    kept_versions_.fetch_sub(1, std::memory_order_relaxed);
    write.committed();
    return write_outcome{write_status::committed, rev, nullptr};
}

}  // namespace gallery::rocks
