// SPDX-License-Identifier: Apache-2.0
// Opening and closing, and the figures for the metrics.
#include "store.hpp"

#include "checker.hpp"
#include "codec.hpp"
#include "usage.hpp"

#include <gallery/kit/figures.hpp>

namespace gallery::rocks {
namespace {

struct feed_state {
    revision newest = 0;
    std::uint64_t count = 0;
};

result<feed_state> read_feed(const engine& db) {
    feed_state found;
    auto cursor = db.iterate(family::changes, {}, engine::reach::disk_aside);
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next())
        ++found.count;
    if (cursor->status().ok()) {
        cursor->SeekToLast();
        if (cursor->Valid() && cursor.key().size() == 8) found.newest = read_big_endian(cursor.key());
    }
    if (!cursor->status().ok()) return to_error(cursor->status(), "reading the change feed");
    return found;
}

}  // namespace

result<std::unique_ptr<storage_engine>> store::open(const plugin_context& context) {
    const auto chosen = parse_options(context.options);
    if (!chosen) return chosen.error();
    log_function log = context.log;
    if (!log) log = [](log_level, std::string_view) {};

    auto opened = engine::open(context.path, *chosen, log);
    if (!opened) return opened.error();
    engine& db = **opened;
    const auto feed = read_feed(db);
    if (!feed) return feed.error();
    const auto floor = db.number(revision_floor_key);
    if (!floor) return floor.error();
    const auto trimmed = db.number(changes_trimmed_key);
    if (!trimmed) return trimmed.error();
    const auto total = read_usage(db, std::nullopt);
    if (!total) return total.error();

    const revision acknowledged = db.mark().read().value_or(0);
    if (feed->newest < acknowledged) {
        const std::string lost = "writes up to revision " + std::to_string(acknowledged) +
                                 " were acknowledged, but the store in " + context.path +
                                 " ends with revision " + std::to_string(feed->newest);
        if (!chosen->accept_lost_writes)
            return error{errc::corrupt, "The write-ahead log has lost writes: " + lost +
                                            ". Restore a backup, or set the rocksdb option "
                                            "accept_lost_writes to true for one start to "
                                            "open the store without them."};
        log(log_level::error,
            "rocksdb: " + lost + ". The store is opened without them, because accept_lost_writes is set.");
    }
    const revision used = std::max({feed->newest, *floor, acknowledged});
    auto made = std::make_unique<store>(
        std::move(*opened), *chosen, log,
        found_state{used, feed->newest, *trimmed, feed->count, total->images.count, total->kept.count});
    if (auto ready = made->files_.open(context.path, feed->newest < acknowledged); !ready)
        return ready.error();
    if (auto begun = made->store_floors(used); !begun) return begun.error();
    if (feed->newest < acknowledged && made->writing().state == write_state::kind::ok)
        made->engine_->mark().write(feed->newest);
    log(log_level::info, "rocksdb: opened " + context.path + " with " + std::to_string(total->images.count) +
                             " images; the last change is revision " + std::to_string(feed->newest) + ".");
    const auto counted =
        for_each_usage(*made->engine_, nullptr, [&](const tenant_id& tenant, const tenant_usage& usage) {
            made->usage_.apply(tenant, {usage, {}});
        });
    if (!counted) return counted.error();
    return std::unique_ptr<storage_engine>(std::move(made));
}

/// Numbers above these were not assigned before this start.
result<void> store::store_floors(revision used) {
    if (writing().state != write_state::kind::ok) return {};
    rocksdb::WriteBatch batch;
    batch.Put(engine_->handle(family::meta), slice(revision_floor_key),
              encode_number(commit_order::floor_after(used)));
    files_.put_watermark(batch);
    return engine_->commit(batch, reserve_share::all);
}

store::store(std::unique_ptr<engine> opened, const options& chosen, log_function log,
             const found_state& found)
    : options_(chosen),
      log_(std::move(log)),
      engine_(std::move(opened)),
      record_cache_(chosen.record_cache_bytes),
      body_cache_(chosen.cache_bytes),
      open_files_(kit::bounded_by_limit(chosen.open_body_files)),
      files_(*engine_, log_),
      order_(found.used, found.newest, [this](revision rev) { engine_->mark().write(rev); }),
      ranks_(*engine_, chosen.page_index_bytes),
      searches_(*engine_, chosen.search_index_bytes, log_),
      lists_(*engine_, ranks_, searches_, log_),
      trimmed_(found.trimmed),
      changes_(found.changes),
      records_(found.records),
      kept_versions_(found.kept_versions),
      gate_(std::max<std::uint64_t>(chosen.write_buffer_bytes / 2, 8ULL << 20)),
      readers_(chosen.readers),
      writers_(chosen.writers) {}

store::~store() {
    writers_.join();
    readers_.join();
}

task<result<check_report>> store::check() {
    auto work = [this] { return guarded([&] { return checker(*engine_, files_).run(); }); };
    co_return co_await offload(readers_, std::move(work));
}

write_state store::writing() const {
    return engine_->writing();
}

void store::change_options(const std::map<std::string, std::string>& given) {
    const auto chosen = parse_options(given);
    if (!chosen) return;
    body_cache_.set_bound(chosen->cache_bytes);
    open_files_.set_bound(kit::bounded_by_limit(chosen->open_body_files));
    record_cache_.set_bound(chosen->record_cache_bytes);
    engine_->resize_block_cache(chosen->block_cache_bytes);
    ranks_.set_bound(chosen->page_index_bytes);
}

std::vector<statistic> store::statistics() const {
    kit::figures all;
    const auto property = [this](const std::string& of, bool all_families) {
        std::uint64_t value = 0;
        if (all_families)
            engine_->db().GetAggregatedIntProperty(of, &value);
        else
            engine_->db().GetIntProperty(of, &value);
        return value;
    };
    using properties = rocksdb::DB::Properties;
    const auto bodies = body_cache_.statistics();
    const auto open = open_files_.statistics();
    all.gauge("body_cache_bytes", bodies.bytes, "Image bytes kept in memory.");
    all.gauge("body_cache_entries", bodies.entries, "Images and previews kept in memory.");
    all.gauge("body_cache_open_files", open.files, "Open files of larger images.");
    all.counter("body_cache_hits_total", bodies.hits + open.hits,
                "Reads of image bytes answered from memory or with an open file.");
    all.counter("body_cache_misses_total", bodies.misses,
                "Reads of image bytes not answered from memory or with an open file.");
    all.counter("body_cache_evictions_total", bodies.evictions, "Images evicted from memory.");
    const auto files = files_.statistics();
    all.counter("body_files_written_total", files.written, "Files of large images that were written.");
    all.counter("body_files_removed_total", files.removed, "Files of large images that were removed.");
    all.gauge("body_files_removing", files.waiting, "Files of large images that wait for their removal.");
    const auto records = record_cache_.statistics();
    all.gauge("record_cache_bytes", records.bytes, "Memory used by decoded records.");
    all.gauge("record_cache_entries", records.entries, "Decoded records kept in memory.");
    all.counter("record_cache_hits_total", records.hits, "Look-ups of records answered from memory.");
    all.counter("record_cache_misses_total", records.misses, "Look-ups of records not answered from memory.");
    all.counter("record_cache_evictions_total", records.evictions, "Records evicted from memory.");
    all.gauge("block_cache_bytes", engine_->block_cache().GetUsage(), "Memory used by blocks of RocksDB.");
    all.gauge("block_cache_pinned_bytes", engine_->block_cache().GetPinnedUsage(),
              "Memory used by blocks of RocksDB that are in use.");
    all.gauge("page_index_bytes", ranks_.bytes(), "Memory used by positions in long lists.");
    all.counter("page_index_builds_total", ranks_.builds(),
                "Full passes over a list to find positions in it.");
    all.gauge("search_index_bytes", searches_.bytes(), "Memory used by names and orders of images.");
    all.gauge("search_index_tenants", searches_.tenants(), "Tenants whose images are indexed in memory.");
    all.counter("search_index_builds_total", searches_.builds(),
                "Full passes over the records of a tenant to index them in memory.");
    all.counter("list_omissions_total", lists_.omissions(),
                "Images that were left out of a list because their records cannot be read.");
    all.gauge("images", records_.load(), "Stored images.");
    all.gauge("kept_versions", kept_versions_.load(), "Kept versions of images.");
    all.gauge(kit::entries_set_aside, 0, kit::none_set_aside);
    all.gauge("changes_kept", changes_.load(), "Changes that the feed keeps.");
    all.gauge("writes_waiting", gate_.waiting(), "Large writes that are waiting for memory.");
    all.gauge("reserve_bytes", engine_->reserve().held(),
              "Disk space reserved for deletions and small writes.");
    all.gauge("memtable_bytes", property(properties::kCurSizeAllMemTables, true),
              "Bytes of committed writes that are not yet in table files.");
    all.gauge("table_files_bytes", property(properties::kTotalSstFilesSize, true),
              "Size of RocksDB's table files.");
    all.gauge("blob_files_bytes", property(properties::kTotalBlobFileSize, true),
              "Size of RocksDB's blob files.");
    all.gauge("blob_garbage_bytes", property(properties::kLiveBlobFileGarbageSize, true),
              "Unused bytes in blob files.");
    all.gauge("pending_compaction_bytes", property(properties::kEstimatePendingCompactionBytes, true),
              "Estimated bytes that compactions must rewrite.");
    all.gauge("running_compactions", property(properties::kNumRunningCompactions, false),
              "Compactions that are running.");
    all.gauge("running_flushes", property(properties::kNumRunningFlushes, false),
              "Flushes that are running.");
    all.counter("background_errors_total", property(properties::kBackgroundErrors, false),
                "Failures of RocksDB's background threads.");
    all.gauge("write_stopped", property(properties::kIsWriteStopped, false), "1 while RocksDB stops writes.");
    return all.take();
}

}  // namespace gallery::rocks
