// SPDX-License-Identifier: Apache-2.0
#include "bodies.hpp"

#include <gallery/kit/rules.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace gallery::postgres {
namespace {

/// In memory at once, in uploads and reads that are under way.
constexpr std::uint64_t bytes_in_flight = 256ULL << 20;
/// Hashing this much takes less time than going to a worker and back.
constexpr std::size_t hash_here = 128 * 1024;

const char* words_for(representation which) {
    return which == representation::preview ? "The preview" : "The original";
}

error damaged(const image_record& record, representation which, const char* how) {
    return {errc::corrupt, std::string(words_for(which)) + " of the " +
                               kit::describe(record.tenant, record.key) + ' ' + how +
                               ". Restore it from a backup, or upload the image again."};
}

/// The chunks of a body. A single one of some size is not copied; of a small one libpq's memory would be
/// several times as large. @p size: what the body should have; one that is longer is not read to its end.
bytes joined(answer& found, std::uint64_t size) {
    constexpr std::uint64_t copied = 32 * 1024;
    if (found.rows(0) == 1 && size > copied) {
        const auto only = found.at(0, 0, 0).view();
        return {std::shared_ptr<const PGresult>(std::move(found.results[0])), only};
    }
    std::string all;
    all.reserve(size);
    for (int i = 0; i < found.rows(0) && all.size() <= size; ++i)
        all += found.at(0, i, 0).view();
    return bytes::own(std::move(all));
}

error too_late() {
    return {errc::busy, "The database did not deliver the bytes of other images in time."};
}

}  // namespace

body_store::body_store(environment& in, pool& connections, mirror& contents, follower& feed)
    : in_(in),
      pool_(connections),
      mirror_(contents),
      follower_(feed),
      cache_(in.chosen.cache_bytes),
      gate_(bytes_in_flight) {}

kit::body_name body_store::name_of(const image_record& record, representation which) {
    return {record.id, record.content_rev, record.preview_is_original ? representation::original : which};
}

task<result<new_bytes>> body_store::prepare(bytes original, bytes preview) {
    new_bytes content;
    content.original = std::move(original);
    content.preview = std::move(preview);
    if (content.size() <= small) {
        content.name = random_uuid();
        co_return content;
    }
    // After a lost connection it is not known whether the bytes are there: they are stored under a new name,
    // and upkeep removes the others.
    const auto deadline = signal::clock::now() + in_.chosen.timeout;
    const auto lease = co_await gate_.enter(content.size());
    if (signal::clock::now() >= deadline)
        co_return error{errc::busy, "Other uploads took too long. Nothing was changed."};
    content.name = random_uuid();
    batch ahead;
    ahead.add(statement::stage, {of_uuid(content.name)});
    add_chunks(ahead, content.name, content.original, content.preview);
    auto stored = co_await pool_.run(std::move(ahead));
    if (stored.failed && stored.failed->sqlstate != "23505")
        co_return not_done(*stored.failed, "storing the bytes of an image");
    content.is_staged = true;
    content.original = bytes();
    content.preview = bytes();
    co_return content;
}

task<> body_store::remove(uuid body) {
    batch undo;
    undo.add(statement::unstage, {of_uuid(body)});
    undo.add(statement::drop_body, {of_uuid(body)});
    // Where this fails, upkeep does it.
    auto undone = co_await pool_.run(std::move(undo));
    (void)undone;
}

void body_store::discard(const new_bytes& content) {
    if (content.is_staged) asio::co_spawn(in_.engine, remove(content.name), asio::detached);
}

std::optional<body> body_store::find(const image_record& record, representation which) {
    const auto found = cache_.find(name_of(record, which));
    if (!found || found->size() != record.descriptor(which).size) return std::nullopt;
    return body(*found);
}

void body_store::forget(const image_record& record) {
    cache_.erase(kit::body_name{record.id, record.content_rev, representation::original});
    cache_.erase(kit::body_name{record.id, record.content_rev, representation::preview});
}

task<result<bytes>> body_store::load(const image_record& record, representation which, uuid body) {
    const auto& wanted = record.descriptor(which);
    const auto part = name_of(record, which).which;
    batch look;
    look.add(statement::read_body, {of_uuid(body), of_int2(static_cast<std::int16_t>(part))});
    auto found = co_await pool_.run(std::move(look));
    if (found.failed) co_return to_error(*found.failed, "reading the bytes of an image");
    if (found.rows(0) == 0 && wanted.size != 0) {
        // Replaced or dropped meanwhile, or lost.
        auto newest = co_await follower_.barrier();
        if (!newest) co_return newest.error();
        if (!mirror_.images().find_version(record)) co_return kit::stale_record(record);
        co_return damaged(record, which, "is missing in the database");
    }
    auto check = [found = std::move(found), size = wanted.size,
                  etag = wanted.etag]() mutable -> std::optional<bytes> {
        auto all = joined(found, size);
        if (all.size() != size || sha256(all.view()) != etag) return std::nullopt;
        return all;
    };
    std::optional<bytes> right;
    if (wanted.size <= hash_here)
        right = check();
    else
        right = co_await offload(in_.workers, std::move(check));
    if (!right) co_return damaged(record, which, "does not match its hash");
    co_return std::move(*right);
}

task<result<body>> body_store::read(record_ptr record, representation which) {
    auto version = mirror_.images().find_version(*record);
    if (!version || find(*record, which)) {
        // What is in memory may have been dropped by another process, and what is not may be newer.
        auto newest = co_await follower_.barrier();
        if (!newest) co_return newest.error();
        version = mirror_.images().find_version(*record);
        if (!version) co_return kit::stale_record(*record);
    }
    if (auto here = find(*record, which)) co_return std::move(*here);
    const auto key = name_of(*record, which);
    const auto body_id = version.body;
    // Whoever waited this long for others does not begin, so that a queue fails together with its first.
    const auto deadline = signal::clock::now() + in_.chosen.timeout;
    // One body is read once, however many ask for it.
    auto lane =
        co_await loading_.acquire(to_string(body_id) + (key.which == representation::preview ? 'p' : 'o'));
    if (auto here = find(*record, which)) co_return std::move(*here);
    const auto lease = co_await gate_.enter(record->descriptor(which).size);
    if (signal::clock::now() >= deadline) co_return too_late();
    const auto generation = cache_.generation(key);
    auto loaded = co_await load(*record, which, body_id);
    if (!loaded) co_return loaded.error();
    cache_.put(key, *loaded, loaded->size(), generation);
    co_return body(std::move(*loaded));
}

task<result<bytes>> body_store::load_aside(record_ptr record, representation which) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    const auto version = mirror_.images().find_version(*record);
    if (!version) co_return kit::stale_record(*record);
    const auto deadline = signal::clock::now() + in_.chosen.timeout;
    const auto lease = co_await gate_.enter(record->descriptor(which).size);
    if (signal::clock::now() >= deadline) co_return too_late();
    co_return co_await load(*record, which, version.body);
}

task<result<body>> body_store::read_aside(record_ptr record, representation which) {
    auto loaded = co_await load_aside(std::move(record), which);
    if (!loaded) co_return loaded.error();
    co_return body(std::move(*loaded));
}

task<result<void>> body_store::check(record_ptr record, representation which) {
    const auto loaded = co_await load_aside(std::move(record), which);
    if (!loaded) co_return loaded.error();
    co_return result<void>();
}

body_store::figures body_store::statistics() const {
    const auto now = cache_.statistics();
    return {now.bytes, now.entries, now.hits, now.misses, now.evictions};
}

}  // namespace gallery::postgres
