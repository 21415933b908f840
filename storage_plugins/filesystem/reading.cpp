// SPDX-License-Identifier: Apache-2.0
// Records, lists and bytes.
#include <gallery/kit/body_file.hpp>
#include <gallery/kit/figures.hpp>
#include <gallery/kit/rules.hpp>
#include "filesystem_store.hpp"
#include "layout.hpp"

#include <utility>

namespace gallery::file_store {
namespace {

/// What an I/O thread does itself, at a few nanoseconds each; more goes to the pool.
constexpr std::size_t titles_at_once = 50'000;
constexpr std::size_t records_at_once = 5'000;

error damaged(const image_record& record, const std::string& file, const std::string& why) {
    return {errc::corrupt, "The bytes of " + kit::describe(record.tenant, record.key) +
                               " are damaged: " + file + ' ' + why +
                               ". Restore the file from a backup, or upload the image again."};
}

}  // namespace

task<result<record_ptr>> filesystem_store::find(tenant_id tenant, std::string key) {
    auto found = catalog_.find(tenant, key);
    if (!found) co_return kit::no_such_image(tenant, key);
    co_return std::move(found.record);
}

task<result<record_ptr>> filesystem_store::find_by_id(image_id id) {
    auto found = catalog_.find_by_id(id);
    if (!found) co_return kit::no_such_image(id);
    co_return std::move(found.record);
}

task<result<record_ptr>> filesystem_store::find_by_public_key(std::string public_key) {
    auto found = catalog_.find_by_public_key(public_key);
    if (!found) co_return kit::no_such_public_key(public_key);
    co_return std::move(found.record);
}

task<result<std::vector<record_ptr>>> filesystem_store::find_by_content(tenant_id tenant,
                                                                        sha256_digest etag) {
    co_return catalog_.find_by_content(tenant, etag);
}

task<result<tenant_usage>> filesystem_store::usage(std::optional<tenant_id> tenant) {
    co_return usage_.usage(tenant);
}

std::optional<record_ptr> filesystem_store::find_now(const tenant_id& tenant, std::string_view key) {
    auto found = catalog_.find(tenant, key);
    if (!found) return std::nullopt;
    return std::move(found.record);
}

std::optional<record_ptr> filesystem_store::find_by_public_key_now(std::string_view public_key) {
    auto found = catalog_.find_by_public_key(public_key);
    if (!found) return std::nullopt;
    return std::move(found.record);
}

std::optional<body> filesystem_store::read_now(const image_record& record, representation which) {
    if (catalog_.find_content_rev(record.tenant, record.key) != record.content_rev) return std::nullopt;
    return cache_.find({record.content_rev, which == representation::preview && !record.preview_is_original});
}

task<result<image_page>> filesystem_store::list(image_query query) {
    if (query.page_size <= records_at_once && catalog_.images_to_search(query) <= titles_at_once)
        co_return catalog_.list(query);
    auto work = [this, query = std::move(query)] { return catalog_.list(query); };
    co_return co_await offload(pool_, std::move(work));
}

task<result<scan_page<record_ptr>>> filesystem_store::scan(std::optional<tenant_id> tenant,
                                                           std::string cursor, std::size_t limit) {
    if (limit <= records_at_once) co_return catalog_.scan(tenant, cursor, limit);
    auto work = [this, tenant, cursor = std::move(cursor), limit] {
        return catalog_.scan(tenant, cursor, limit);
    };
    co_return co_await offload(pool_, std::move(work));
}

std::string filesystem_store::folder_of_version(const image_record& record) const {
    const auto now = catalog_.find(record.tenant, record.key);
    if (now && now.record->id == record.id && now.record->content_rev == record.content_rev)
        return folder_of(record.tenant, record.key);
    const auto kept = catalog_.find_kept(record.id, record.content_rev);
    return kept ? folder_of(kept.version) : std::string();
}

task<result<body>> filesystem_store::read(record_ptr record, representation which) {
    auto folder = folder_of_version(*record);
    if (folder.empty()) co_return kit::stale_record(*record);
    const bool preview = which == representation::preview && !record->preview_is_original;
    const body_key key{record->content_rev, preview};
    if (auto hot = cache_.find(key)) co_return std::move(*hot);

    // One reader brings a body in from the disk; others that want the same wait for it.
    const auto reading =
        co_await lanes_.acquire("read " + std::to_string(key.content_rev) + (preview ? " preview" : ""));
    if (auto hot = cache_.find(key)) co_return std::move(*hot);
    auto loaded = co_await load_version(record, preview, std::move(folder), kit::read_purpose::serve);
    const bool is_fault = !loaded && loaded.error().code != errc::busy && loaded.error().code != errc::stale;
    if (is_fault) log_function_(log_level::error, loaded.error().message);
    co_return loaded;
}

task<result<body>> filesystem_store::read_aside(record_ptr record, representation which) {
    auto folder = folder_of_version(*record);
    if (folder.empty()) co_return kit::stale_record(*record);
    const bool preview = which == representation::preview && !record->preview_is_original;
    if (auto hot = cache_.find({record->content_rev, preview})) co_return std::move(*hot);
    co_return co_await load_version(record, preview, std::move(folder), kit::read_purpose::copy);
}

task<result<void>> filesystem_store::check_body(record_ptr record, representation which) {
    auto folder = folder_of_version(*record);
    if (folder.empty()) co_return kit::stale_record(*record);
    const bool preview = which == representation::preview && !record->preview_is_original;
    const auto loaded = co_await load_version(record, preview, std::move(folder), kit::read_purpose::check);
    if (!loaded) co_return loaded.error();
    co_return result<void>();
}

task<result<body>> filesystem_store::load_version(record_ptr record, bool preview, std::string folder,
                                                  kit::read_purpose why) {
    auto work = [this, record, preview, folder, why] { return load(*record, preview, folder, why); };
    auto loaded = co_await offload(pool_, std::move(work));
    if (loaded || loaded.error().code == errc::busy) co_return loaded;
    // Perhaps the folder was renamed already by a write whose commit is on its way: wait for that one.
    const auto writing = co_await lanes_.acquire(folder_of(record->tenant, record->key));
    folder = folder_of_version(*record);
    if (folder.empty()) co_return kit::stale_record(*record);
    // Or it was renamed by a write that failed and could not be undone.
    auto again = [this, record, preview, folder, why] {
        committer_->settle();
        return load(*record, preview, folder, why);
    };
    co_return co_await offload(pool_, std::move(again));
}

/// Reads and checks the file. That its bytes have the record's hash is what makes it the right file,
/// whatever was renamed or restored in between.
result<body> filesystem_store::load(const image_record& record, bool preview, const std::string& folder,
                                    kit::read_purpose why) {
    const auto& described = preview ? record.preview : record.original;
    const auto path = folder + '/' + body_name(record, preview);
    const auto generation = cache_.generation();
    auto opened = open_to_read(root_.get(), path);
    if (!opened && opened.error().code == errc::not_found) return damaged(record, path, "is missing");
    if (!opened) return opened.error();
    auto file = std::make_shared<const file_handle>(opened->release());
    auto content = kit::read_verified(file, described, kit::smallest_region, why, path);
    if (!content && content.error().code == errc::corrupt)
        return damaged(record, path, content.error().message);
    if (!content) return content.error();
    if (why == kit::read_purpose::serve) {
        const body_key key{record.content_rev, preview};
        if (const auto* memory = content->content.memory())
            cache_.put(key, *memory);
        else
            cache_.put(key, std::move(file), content->state, generation);
    }
    return std::move(content->content);
}

task<result<change_batch>> filesystem_store::changes(revision after, std::size_t limit) {
    co_return feed_.after(after, limit);
}

task<result<revision>> filesystem_store::last() {
    co_return feed_.last();
}

void filesystem_store::on_change(std::function<void()> notify) {
    committer_->on_change(std::move(notify));
}

write_state filesystem_store::writing() const {
    if (!stop_.is_set()) return {};
    return {write_state::kind::failed, stop_.reason()};
}

std::vector<statistic> filesystem_store::statistics() const {
    kit::figures all;
    const auto cache = cache_.statistics();
    all.gauge("images", catalog_.size(), "Images in the store.");
    all.gauge("kept_versions", catalog_.kept_size(), "Kept versions of replaced or deleted images.");
    all.gauge("documents", documents_.size(), "Documents in the store: accounts, sessions, settings.");
    all.gauge("document_groups_open", open_groups_.size(),
              "Groups of documents that are still only in a journal.");
    all.gauge(kit::entries_set_aside, set_aside_count_.load(),
              "Entries in set-aside, which could not be read at a start and are missing in the store.");
    all.gauge("changes_kept", feed_.size(), "Changes that the feed keeps.");
    all.gauge("reserve_files", reserve_->size(),
              "Preallocated files for writes on a full disk; 256 when the reserve is complete.");
    all.counter("commits_total", committer_->commits(), "Committed writes.");
    all.counter("commit_batches_total", committer_->batches(),
                "Synchronisations of the log of changes. Each commits one or more writes.");
    all.gauge("body_cache_bytes", cache.bytes, "Bytes of small images kept in memory.");
    all.gauge("body_cache_open_files", cache.files, "Open files of larger images.");
    all.counter("body_cache_hits_total", cache.hits, "Bodies answered from memory or from an open file.");
    all.counter("body_cache_misses_total", cache.misses, "Bodies that were read from the disk and verified.");
    return all.take();
}

}  // namespace gallery::file_store
