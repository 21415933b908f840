// Opening and closing, and the figures for the metrics.
#include "store.hpp"

#include "checker.hpp"
#include "codec.hpp"

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

result<std::uint64_t> count_records(const engine& db) {
    std::uint64_t sum = 0;
    auto cursor = db.iterate_prefix(family::meta, std::string(counter_prefix), engine::reach::disk);
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next())
        sum += decode_number(cursor.value()).value_or(0);
    if (!cursor->status().ok()) return to_error(cursor->status(), "reading the counters");
    return sum;
}

}  // namespace

result<std::unique_ptr<image_store>> store::open(const plugin_context& context) {
    const auto chosen = parse_options(context.options);
    if (!chosen) return chosen.error();
    log_function log = context.log;
    if (!log) log = [](plugin_context::log_level, std::string_view) {};

    auto opened = engine::open(context.path, *chosen, log);
    if (!opened) return opened.error();
    engine& db = **opened;
    const auto feed = read_feed(db);
    if (!feed) return feed.error();
    const auto floor = db.number(revision_floor_key);
    if (!floor) return floor.error();
    const auto trimmed = db.number(changes_trimmed_key);
    if (!trimmed) return trimmed.error();
    const auto records = count_records(db);
    if (!records) return records.error();

    const revision acknowledged = db.mark().read().value_or(0);
    if (feed->newest < acknowledged) {
        const std::string lost = "writes up to revision " + std::to_string(acknowledged) +
                                 " were acknowledged, but the store in " + context.path +
                                 " ends with revision " + std::to_string(feed->newest);
        if (!chosen->accept_lost_writes)
            return error{
                errc::corrupt,
                "The write-ahead log has lost writes: " + lost +
                    ". Restore a backup, or set the rocksdb option accept_lost_writes to true once to "
                    "go on without them."};
        log(plugin_context::log_level::error, "rocksdb: " + lost + "; going on without them, as configured.");
    }
    const revision used = std::max({feed->newest, *floor, acknowledged});
    if (db.writing().state == write_state::kind::ok) {
        rocksdb::WriteBatch batch;
        batch.Put(db.handle(family::meta), slice(revision_floor_key),
                  encode_number(commit_order::floor_after(used)));
        if (auto written = db.commit(batch, reserve_share::all); !written) return written.error();
        if (feed->newest < acknowledged) db.mark().write(feed->newest);
    }

    log(plugin_context::log_level::info,
        "rocksdb: opened " + context.path + " with " + std::to_string(*records) +
            " images; the last change is revision " + std::to_string(feed->newest) + ".");
    return std::unique_ptr<image_store>(std::make_unique<store>(
        std::move(*opened), *chosen, std::move(log), used, feed->newest, *trimmed, feed->count, *records));
}

store::store(std::unique_ptr<engine> opened, const options& chosen, log_function log, revision used,
             revision newest, revision trimmed, std::uint64_t changes, std::uint64_t records)
    : options_(chosen),
      log_(std::move(log)),
      engine_(std::move(opened)),
      record_cache_(chosen.record_cache_bytes),
      body_cache_(chosen.cache_bytes),
      order_(used, newest, [this](revision rev) { engine_->mark().write(rev); }),
      ranks_(*engine_, chosen.page_index_bytes),
      lists_(*engine_, ranks_, log_),
      trimmed_(trimmed),
      changes_(changes),
      records_(records),
      readers_(chosen.readers),
      writers_(chosen.writers),
      gate_(writers_, std::max<std::uint64_t>(chosen.write_buffer_bytes / 2, 8ULL << 20)) {}

store::~store() {
    writers_.join();
    readers_.join();
}

task<result<check_report>> store::check() {
    auto work = [this] { return guarded([&] { return checker(*engine_).run(); }); };
    co_return co_await offload(readers_, std::move(work));
}

write_state store::writing() const {
    return engine_->writing();
}

std::vector<std::pair<std::string, double>> store::statistics() const {
    std::vector<std::pair<std::string, double>> figures;
    const auto add = [&figures](std::string name, auto value) {
        figures.emplace_back(std::move(name), static_cast<double>(value));
    };
    const auto property = [this, &add](const char* name, const std::string& of, bool all_families) {
        std::uint64_t value = 0;
        if (all_families ? engine_->db().GetAggregatedIntProperty(of, &value)
                         : engine_->db().GetIntProperty(of, &value))
            add(name, value);
    };
    using properties = rocksdb::DB::Properties;
    const auto bodies = body_cache_.statistics();
    add("body_cache_bytes", bodies.bytes);
    add("body_cache_entries", bodies.entries);
    add("body_cache_hits_total", bodies.hits);
    add("body_cache_misses_total", bodies.misses);
    add("body_cache_evictions_total", bodies.evictions);
    const auto records = record_cache_.statistics();
    add("record_cache_bytes", records.bytes);
    add("record_cache_entries", records.entries);
    add("record_cache_hits_total", records.hits);
    add("record_cache_misses_total", records.misses);
    add("record_cache_evictions_total", records.evictions);
    add("block_cache_bytes", engine_->block_cache().GetUsage());
    add("block_cache_pinned_bytes", engine_->block_cache().GetPinnedUsage());
    add("page_index_bytes", ranks_.bytes());
    add("page_index_builds_total", ranks_.builds());
    add("images", records_.load());
    add("changes_kept", changes_.load());
    add("writes_waiting", gate_.waiting());
    add("reserve_bytes", engine_->reserve().held());
    property("memtable_bytes", properties::kCurSizeAllMemTables, true);
    property("table_files_bytes", properties::kTotalSstFilesSize, true);
    property("blob_files_bytes", properties::kTotalBlobFileSize, true);
    property("blob_garbage_bytes", properties::kLiveBlobFileGarbageSize, true);
    property("pending_compaction_bytes", properties::kEstimatePendingCompactionBytes, true);
    property("running_compactions", properties::kNumRunningCompactions, false);
    property("running_flushes", properties::kNumRunningFlushes, false);
    property("background_errors_total", properties::kBackgroundErrors, false);
    property("write_stopped", properties::kIsWriteStopped, false);
    return figures;
}

}  // namespace gallery::rocks
