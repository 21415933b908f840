// Reading: first what is in memory, on the caller's thread; then the disk, on the readers' pool.
#include "codec.hpp"
#include "records.hpp"
#include "store.hpp"

#include <charconv>
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

error not_found(std::string_view what) {
    return {errc::not_found, "There is no image with this " + std::string(what) + "."};
}

// A cursor of scan(): the record key it stopped at and its checksum, in hexadecimal.
std::string make_cursor(std::string_view key) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    const auto append = [&text](std::string_view bytes) {
        for (const char c : bytes) {
            text.push_back(digits[static_cast<unsigned char>(c) >> 4]);
            text.push_back(digits[static_cast<unsigned char>(c) & 15]);
        }
    };
    append(key);
    append(encode_number(crc32c("scan", key)).substr(0, 4));
    return text;
}

std::optional<std::string> parse_cursor(std::string_view text) {
    std::string bytes;
    if (text.size() % 2 != 0) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned value = 0;
        const auto [end, failure] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
        if (failure != std::errc{} || end != text.data() + i + 2) return std::nullopt;
        bytes.push_back(static_cast<char>(value));
    }
    if (bytes.size() < id_size + 4) return std::nullopt;
    std::string key = bytes.substr(0, bytes.size() - 4);
    if (make_cursor(key) != text) return std::nullopt;
    return key;
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
    const auto kept = body_cache_.find(body_name{record.id, record.content_rev, which});
    const auto& wanted = record.descriptor(which);
    if (!kept || !same((*kept)->etag, wanted.etag) || (*kept)->memory.size() != wanted.size)
        return std::nullopt;
    return body((*kept)->memory);
}

task<result<body>> store::read(record_ptr record, representation which) {
    if (!record) co_return error{errc::invalid_argument, "A record is needed to read its bytes."};
    if (record->preview_is_original) which = representation::original;
    if (auto kept = body_cache_.find(body_name{record->id, record->content_rev, which})) {
        const auto& wanted = record->descriptor(which);
        if (same((*kept)->etag, wanted.etag) && (*kept)->memory.size() == wanted.size)
            co_return body((*kept)->memory);
    }
    auto work = [this, record = std::move(record), which] {
        return guarded([&] { return load_body(*record, which); });
    };
    co_return co_await offload(readers_, std::move(work));
}

result<body> store::load_body(const image_record& record, representation which) {
    const auto& wanted = record.descriptor(which);
    const body_name name{record.id, record.content_rev, which};
    const std::string key = body_key(record.id, record.content_rev, which);
    const auto locked = loading_.lock({key});
    const auto matches = [&wanted](const verified_body& kept) {
        return kept.etag == wanted.etag && kept.memory.size() == wanted.size;
    };
    if (auto kept = body_cache_.find(name); kept && matches(**kept)) return body((*kept)->memory);

    const auto generation = body_cache_.generation(name);
    const std::string record_name = record_key(record.tenant, record.key);
    const auto what = [&] {
        return std::string(which == representation::preview ? "the preview" : "the bytes") + " of " +
               describe_image(record_name);
    };
    rocksdb::PinnableSlice value;
    const auto status = engine_->get(family::bodies, key, value, engine::reach::disk_aside);
    if (status.IsNotFound()) {
        const auto now = *load_record(*engine_, record_name, engine::reach::disk);
        if (!now) return now.error();
        if (!*now || (*now)->id != record.id || (*now)->content_rev != record.content_rev)
            return error{errc::stale, "The " + describe_image(record_name) + " was changed; find it again."};
        return error{errc::corrupt, what() + " are missing in the store. Restore them from a backup."};
    }
    if (!status.ok()) return to_error(status, "reading " + what());

    auto verified = std::make_shared<verified_body>();
    verified->etag = sha256({value.data(), value.size()});
    if (value.size() != wanted.size || verified->etag != wanted.etag)
        return error{errc::corrupt, what() + " do not match their hash. Restore them from a backup."};
    // Small values lie in a block among others, which a reference would keep in memory whole.
    constexpr std::size_t small = 1024;
    if (value.size() <= small) {
        verified->memory = bytes::own(value.ToString());
    } else {
        auto owner = std::make_shared<rocksdb::PinnableSlice>(std::move(value));
        const std::span<const char> all(owner->data(), owner->size());
        verified->memory = bytes(std::move(owner), all);
    }
    body answer(verified->memory);
    const auto size = answer.size() + sizeof(verified_body) + sizeof(rocksdb::PinnableSlice);
    body_cache_.put(name, std::move(verified), size, generation);
    return answer;
}

task<result<image_page>> store::list(image_query query) {
    if (query.page_size == 0)
        co_return error{errc::invalid_argument, "A page has at least one image; pageSize is 0."};
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
    if (limit == 0) return error{errc::invalid_argument, "A scan takes a limit of at least 1."};
    std::string prefix;
    if (tenant) prefix = raw(*tenant);
    engine::range bounds{prefix, after_prefix(prefix)};
    if (!cursor.empty()) {
        auto last = parse_cursor(cursor);
        if (!last || !last->starts_with(prefix))
            return error{errc::invalid_argument, "The cursor of the scan is not one that a scan returned."};
        bounds.from = std::move(*last);
        bounds.from.push_back('\0');  // the smallest key behind it
    }
    scan_page<record_ptr> page;
    auto at = engine_->iterate(family::records, std::move(bounds), engine::reach::disk_aside);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        if (page.items.size() == limit) {
            page.cursor = make_cursor(record_key(page.items.back()->tenant, page.items.back()->key));
            break;
        }
        auto record = decode_record(at.key(), at.value());
        if (!record)
            return error{errc::corrupt, "The record of " + describe_image(at.key()) + " is damaged."};
        page.items.push_back(std::move(record));
    }
    if (!at->status().ok()) return to_error(at->status(), "reading the records");
    return page;
}

}  // namespace gallery::rocks
