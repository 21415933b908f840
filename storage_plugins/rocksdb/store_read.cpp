// SPDX-License-Identifier: Apache-2.0
// Reading: first what is in memory, on the caller's thread; then the disk, on the readers' pool.
#include "codec.hpp"
#include "cursors.hpp"
#include "records.hpp"
#include "store.hpp"
#include "usage.hpp"

#include <gallery/kit/matcher.hpp>
#include <gallery/kit/rules.hpp>

#include <algorithm>
#include <cstring>

namespace gallery::rocks {
namespace {

/// The key of a record in the record cache.
std::string_view cached_record_key(std::string_view record_key) {
    thread_local std::string scratch;
    scratch.assign(1, 'r');
    scratch.append(record_key);
    return scratch;
}

std::string_view cached_record_key(const tenant_id& tenant, std::string_view key) {
    thread_local std::string scratch;
    scratch.assign(1, 'r');
    scratch.append(raw(tenant)).append(key);
    return scratch;
}

// In words rather than byte by byte, which is what comparing the arrays comes to.
bool same(const sha256_digest& left, const sha256_digest& right) noexcept {
    return std::memcmp(left.data(), right.data(), left.size()) == 0;
}

/// A value in memory of RocksDB. A body may still be sent when the store has been closed, so the cache that
/// the value may be in is kept open; it is released after the value.
struct pinned_value {
    pinned_value(std::shared_ptr<rocksdb::Cache> of, rocksdb::PinnableSlice&& what)
        : cache(std::move(of)), value(std::move(what)) {}
    std::shared_ptr<rocksdb::Cache> cache;
    rocksdb::PinnableSlice value;
};

std::string what_of(const image_record& record, representation which) {
    return std::string(which == representation::preview ? "the preview" : "the bytes") + " of " +
           describe_image(record_key(record.tenant, record.key));
}

error damaged_record(std::string_view record_key) {
    return {errc::corrupt, "The record of " + describe_image(record_key) + " is damaged."};
}

error not_found(std::string_view what) {
    return {errc::not_found, "There is no image with this " + std::string(what) + "."};
}

}  // namespace

store::found_record store::find_here(std::string_view record_key, engine::reach how) {
    const auto cache_key = cached_record_key(record_key);
    if (auto hit = record_cache_.find(cache_key)) return result<record_ptr>(std::move(*hit));
    const auto generation = record_cache_.generation(cache_key);
    auto loaded = load_record(*engine_, record_key, how);
    if (!loaded || !*loaded) return loaded;
    if (!**loaded) return result<record_ptr>(not_found("key"));
    record_cache_.put(std::string(cache_key), **loaded, memory_of(***loaded), generation);
    return loaded;
}

store::found_record store::find_through(const std::string& lookup_key, engine::reach how) {
    if (auto hit = record_cache_.find(lookup_key)) return result<record_ptr>(std::move(*hit));
    const bool by_id = lookup_key.front() == 'i';
    // Two reads at two moments: where a write came between them, look again.
    for (int attempt = 0; attempt < 3; ++attempt) {
        const auto generation = record_cache_.generation(lookup_key);
        rocksdb::PinnableSlice record_key;
        const auto status = engine_->get(family::lookup, lookup_key, record_key, how);
        if (status.IsNotFound()) break;
        if (how == engine::reach::memory && status.IsIncomplete()) return std::nullopt;
        if (!status.ok()) return result<record_ptr>(to_error(status, "looking an image up"));
        auto loaded = load_record(*engine_, view(record_key), how);
        if (!loaded || !*loaded) return loaded;
        const record_ptr& record = **loaded;
        if (!record ||
            (by_id ? id_lookup_key(record->id) : public_lookup_key(record->public_key)) != lookup_key)
            continue;
        record_cache_.put(lookup_key, record, memory_of(*record), generation);
        return loaded;
    }
    return result<record_ptr>(not_found(by_id ? "id" : "public key"));
}

task<result<record_ptr>> store::find(tenant_id tenant, std::string key) {
    std::string full = record_key(tenant, key);
    auto here = guarded([&] { return find_here(full, engine::reach::memory); });
    if (here) co_return std::move(*here);
    auto work = [this, full = std::move(full)] {
        return guarded([&]() -> result<record_ptr> { return *find_here(full, engine::reach::disk); });
    };
    co_return co_await offload(readers_, std::move(work));
}

task<result<record_ptr>> store::find_by_id(image_id id) {
    std::string key = id_lookup_key(id);
    auto here = guarded([&] { return find_through(key, engine::reach::memory); });
    if (here) co_return std::move(*here);
    auto work = [this, key = std::move(key)] {
        return guarded([&]() -> result<record_ptr> { return *find_through(key, engine::reach::disk); });
    };
    co_return co_await offload(readers_, std::move(work));
}

task<result<record_ptr>> store::find_by_public_key(std::string public_key) {
    std::string key = public_lookup_key(public_key);
    auto here = guarded([&] { return find_through(key, engine::reach::memory); });
    if (here) co_return std::move(*here);
    auto work = [this, key = std::move(key)] {
        return guarded([&]() -> result<record_ptr> { return *find_through(key, engine::reach::disk); });
    };
    co_return co_await offload(readers_, std::move(work));
}

std::optional<record_ptr> store::find_now(const tenant_id& tenant, std::string_view key) {
    return record_cache_.find(cached_record_key(tenant, key));
}

std::optional<record_ptr> store::find_by_public_key_now(std::string_view public_key) {
    thread_local std::string scratch;
    scratch.assign(1, 'p');
    scratch.append(public_key);
    return record_cache_.find(std::string_view(scratch));
}

std::optional<body> store::read_now(const image_record& record, representation which) {
    if (record.preview_is_original) which = representation::original;
    const kit::body_name name{record.id, record.content_rev, which};
    const auto& wanted = record.descriptor(which);
    if (is_file_size(wanted.size))
        if (auto open = open_files_.find(name); open && open->size() == wanted.size) return open;
    const auto kept = body_cache_.find(name);
    if (!kept || !same((*kept)->etag, wanted.etag) || (*kept)->memory.size() != wanted.size)
        return std::nullopt;
    return body((*kept)->memory);
}

task<result<body>> store::read(record_ptr record, representation which) {
    if (!record) co_return error{errc::invalid_argument, "The record to read the bytes of is missing."};
    if (record->preview_is_original) which = representation::original;
    if (auto here = read_now(*record, which)) co_return std::move(*here);
    auto work = [this, record = std::move(record), which] {
        return guarded([&] { return load_body(*record, which); });
    };
    co_return co_await offload(readers_, std::move(work));
}

task<result<body>> store::read_aside(record_ptr record, representation which) {
    if (!record) co_return error{errc::invalid_argument, "The record to read the bytes of is missing."};
    if (auto kept = read_now(*record, which)) co_return std::move(*kept);
    if (record->preview_is_original) which = representation::original;
    auto work = [this, record = std::move(record), which] {
        return guarded([&] { return read_verified(*record, which, kit::read_purpose::copy); });
    };
    co_return co_await offload(readers_, std::move(work));
}

task<result<void>> store::check_body(record_ptr record, representation which) {
    if (!record) co_return error{errc::invalid_argument, "The record to read the bytes of is missing."};
    if (record->preview_is_original) which = representation::original;
    auto work = [this, record = std::move(record), which] {
        return guarded([&]() -> result<void> {
            const auto content = read_verified(*record, which, kit::read_purpose::check);
            if (!content) return content.error();
            return {};
        });
    };
    co_return co_await offload(readers_, std::move(work));
}

store::found_body store::read_from_file(const image_record& record, representation which,
                                        kit::read_purpose why) {
    const auto generation = open_files_.generation();
    const auto file = files_.find(record.id, record.content_rev, which, engine::reach::disk);
    if (!file) return result<body>(file.error());
    if (!*file) return std::nullopt;
    auto opened = files_.open_to_read(**file);
    if (!opened && opened.error().code == errc::not_found) return std::nullopt;
    if (!opened) return result<body>(opened.error());
    auto handle = std::make_shared<const file_handle>(opened->release());
    const auto& wanted = record.descriptor(which);
    const std::uint64_t from = is_file_size(wanted.size) ? 0 : kit::smallest_region;
    auto verified = kit::read_verified(handle, wanted, from, why, body_files::path_of(**file));
    if (!verified && verified.error().code == errc::corrupt) {
        // A file that is removed while it is read has another state, too.
        const auto now = files_.find(record.id, record.content_rev, which, engine::reach::disk);
        if (now && *now != *file) return std::nullopt;
        return result<body>(error{
            errc::corrupt, what_of(record, which) + " are damaged: the file " + body_files::path_of(**file) +
                               ' ' + verified.error().message + ". Restore the file from a backup."});
    }
    if (!verified) return result<body>(verified.error());
    if (why == kit::read_purpose::serve) {
        const kit::body_name name{record.id, record.content_rev, which};
        if (verified->content.region() != nullptr)
            open_files_.put(name, std::move(handle), verified->state, generation);
    }
    return result<body>(std::move(verified->content));
}

store::found_body store::read_from_table(const image_record& record, representation which,
                                         kit::read_purpose why) {
    const auto& wanted = record.descriptor(which);
    const kit::body_name name{record.id, record.content_rev, which};
    const auto generation = body_cache_.generation(name);
    rocksdb::PinnableSlice value;
    const auto status = engine_->get(family::bodies, body_key(record.id, record.content_rev, which), value,
                                     engine::reach::disk_aside);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return result<body>(to_error(status, "reading " + what_of(record, which)));
    if (value.size() != wanted.size || !same(sha256({value.data(), value.size()}), wanted.etag))
        return result<body>(error{
            errc::corrupt, what_of(record, which) + " do not match their hash. Restore them from a backup."});
    auto verified = std::make_shared<verified_body>();
    verified->etag = wanted.etag;
    verified->memory = owned(std::move(value));
    body answer(verified->memory);
    const auto size = answer.size() + sizeof(verified_body) + sizeof(pinned_value);
    if (why == kit::read_purpose::serve) body_cache_.put(name, std::move(verified), size, generation);
    return result<body>(std::move(answer));
}

result<body> store::read_verified(const image_record& record, representation which, kit::read_purpose why) {
    // First where a body of this size is stored now. One that is being moved is looked for again.
    const bool file_first = is_file_size(record.descriptor(which).size);
    for (int attempt = 0; attempt < 3; ++attempt) {
        for (const bool in_file : {file_first, !file_first}) {
            auto found = in_file ? read_from_file(record, which, why) : read_from_table(record, which, why);
            if (found) return std::move(*found);
        }
    }
    return missing_body(record, which);
}

bytes store::owned(rocksdb::PinnableSlice&& value) const {
    // Small values share a block, which a reference would keep in memory completely.
    constexpr std::size_t small = 1024;
    if (value.size() <= small) return bytes::own(value.ToString());
    auto owner = std::make_shared<pinned_value>(engine_->shared_block_cache(), std::move(value));
    const std::span<const char> all(owner->value.data(), owner->value.size());
    return {std::move(owner), all};
}

result<body> store::load_body(const image_record& record, representation which) {
    const auto locked = loading_.lock({body_key(record.id, record.content_rev, which)});
    if (auto here = read_now(record, which)) return std::move(*here);
    return read_verified(record, which, kit::read_purpose::serve);
}

/// The bytes of a record are not there: it was replaced, erased or dropped, or they are lost. Bytes are
/// removed together with what refers to them and never come back, so what still refers to them now did so
/// before.
error store::missing_body(const image_record& record, representation which) const {
    const std::string name = record_key(record.tenant, record.key);
    const auto now = *load_record(*engine_, name, engine::reach::disk);
    if (!now) return now.error();
    bool is_stored = *now && (*now)->id == record.id && (*now)->content_rev == record.content_rev;
    if (!is_stored) {
        const auto kept = load_kept(kept_key(record.id, record.content_rev), engine::reach::disk);
        if (!kept) return kept.error();
        is_stored = kept->has_value();
    }
    if (!is_stored) return kit::stale_record(record);
    return error{errc::corrupt, std::string(which == representation::preview ? "The preview" : "The bytes") +
                                    " of " + describe_image(name) +
                                    " are missing. Restore them from a backup."};
}

task<result<std::vector<record_ptr>>> store::find_by_content(tenant_id tenant, sha256_digest etag) {
    auto work = [this, tenant, etag] { return guarded([&] { return find_content_now(tenant, etag); }); };
    co_return co_await offload(readers_, std::move(work));
}

result<std::vector<record_ptr>> store::find_content_now(tenant_id tenant, const sha256_digest& etag) const {
    const auto at = engine_->snapshot();
    std::vector<record_ptr> found;
    auto cursor =
        engine_->iterate_prefix(family::lookup, content_lookup_prefix(tenant, etag), engine::reach::disk, at);
    for (cursor->SeekToFirst(); cursor->Valid() && found.size() < max_same_content; cursor->Next()) {
        auto record = *load_record(*engine_, cursor.value(), engine::reach::disk, at);
        if (!record && record.error().code == errc::corrupt) continue;  // a check names it
        if (!record) return record.error();
        if (*record) found.push_back(std::move(*record));
    }
    if (!cursor->status().ok()) return to_error(cursor->status(), "looking images up by their content");
    return found;
}

task<result<tenant_usage>> store::usage(std::optional<tenant_id> tenant) {
    auto work = [this, tenant] { return guarded([&] { return read_usage(*engine_, tenant); }); };
    co_return co_await offload(readers_, std::move(work));
}

task<result<image_page>> store::list(image_query query) {
    if (auto wrong = kit::refuse_query(query)) co_return std::move(*wrong);
    auto work = [this, query = std::move(query)] { return guarded([&] { return lists_.list(query); }); };
    co_return co_await offload(readers_, std::move(work));
}

task<result<scan_page<record_ptr>>> store::scan(std::optional<tenant_id> tenant, std::string cursor,
                                                std::size_t limit) {
    auto work = [this, tenant, cursor = std::move(cursor), limit] {
        return guarded([&] { return scan_now(tenant, cursor, limit); });
    };
    co_return co_await offload(readers_, std::move(work));
}

result<scan_page<record_ptr>> store::scan_now(const std::optional<tenant_id>& tenant,
                                              const std::string& cursor, std::size_t limit) const {
    if (limit == 0) return kit::bad_limit();
    std::string prefix;
    if (tenant) prefix = raw(*tenant);
    engine::range bounds{prefix, after_prefix(prefix)};
    if (!cursor.empty()) {
        auto last = parse_cursor("scan", cursor);
        if (!last || last->size() < id_size || !last->starts_with(prefix))
            return kit::bad_cursor("images", cursor);
        bounds.from = std::move(*last);
        bounds.from.push_back('\0');  // the smallest key behind it
    }
    scan_page<record_ptr> page;
    auto at = engine_->iterate(family::records, std::move(bounds), engine::reach::disk_aside);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        if (page.items.size() == limit) {
            page.cursor = make_cursor("scan", record_key(page.items.back()->tenant, page.items.back()->key));
            break;
        }
        auto record = decode_record(at.key(), at.value());
        if (!record) return damaged_record(at.key());
        page.items.push_back(std::move(record));
    }
    if (!at->status().ok()) return to_error(at->status(), "reading the records");
    return page;
}

task<result<checked_page<record_ptr>>> store::scan_readable(std::string cursor, std::size_t limit) {
    auto work = [this, cursor = std::move(cursor), limit] {
        return guarded([&] { return scan_readable_now(cursor, limit); });
    };
    co_return co_await offload(readers_, std::move(work));
}

result<checked_page<record_ptr>> store::scan_readable_now(const std::string& cursor,
                                                          std::size_t limit) const {
    if (limit == 0) return kit::bad_limit();
    std::string last;
    if (!cursor.empty()) {
        auto given = parse_cursor("scan", cursor);
        if (!given || given->size() < id_size) return kit::bad_cursor("images", cursor);
        last = std::move(*given);
    }
    checked_page<record_ptr> found;
    auto& page = found.page;
    std::string from = last.empty() ? last : last + '\0';  // the smallest key behind it
    auto at = engine_->iterate(family::records, {std::move(from), {}}, engine::reach::disk_aside);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        if (page.items.size() + found.unreadable.size() == limit) {
            page.cursor = make_cursor("scan", last);
            return found;
        }
        last = at.key();
        if (auto record = decode_record(last, at.value()))
            page.items.push_back(std::move(record));
        else
            found.unreadable.push_back(damaged_record(last).message);
    }
    if (at->status().ok()) return found;
    const auto failed = to_error(at->status(), "reading the records");
    if (!is_damage(failed)) return failed;
    if (auto added = add_single_records(last, limit, found); !added) return added.error();
    return found;
}

result<void> store::add_single_records(const std::string& last, std::size_t limit,
                                       checked_page<record_ptr>& found) const {
    const auto count = limit - found.page.items.size() - found.unreadable.size();
    const auto keys = record_keys_behind(last, count);
    if (!keys) return keys.error();
    for (const auto& key : *keys) {
        auto record = *load_record(*engine_, key, engine::reach::disk_aside);
        if (!record && !is_damage(record.error())) return record.error();
        if (!record)
            found.unreadable.push_back(record.error().message);
        else if (*record)  // it was not erased since
            found.page.items.push_back(std::move(*record));
    }
    if (keys->size() == count) found.page.cursor = make_cursor("scan", count == 0 ? last : keys->back());
    return {};
}

/// The first @p count of them, from the ids of all images, which are stored apart from the records.
result<std::vector<std::string>> store::record_keys_behind(const std::string& last, std::size_t count) const {
    std::vector<std::string> smallest;  // a heap with the largest one at the front
    auto at = engine_->iterate_prefix(family::lookup, "i", engine::reach::disk_aside);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        if (at.value() <= last) continue;
        if (smallest.size() == count) {
            if (count == 0 || at.value() >= smallest.front()) continue;
            std::pop_heap(smallest.begin(), smallest.end());
            smallest.pop_back();
        }
        smallest.emplace_back(at.value());
        std::push_heap(smallest.begin(), smallest.end());
    }
    if (!at->status().ok()) return to_error(at->status(), "looking for the images behind a damaged part");
    std::sort_heap(smallest.begin(), smallest.end());
    return smallest;
}

}  // namespace gallery::rocks
