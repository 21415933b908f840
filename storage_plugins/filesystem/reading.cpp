// Records, lists and bytes.
#include "filesystem_store.hpp"
#include "index/rules.hpp"
#include "layout.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <utility>

namespace gallery::file_store {
namespace {

/// Below this a body is kept in memory, from this on as an open file that the server sends with sendfile.
constexpr std::uint64_t smallest_region = 32 * 1024;

/// What an I/O thread does itself, at a few nanoseconds each; more goes to the pool.
constexpr std::size_t titles_at_once = 50'000;
constexpr std::size_t records_at_once = 5'000;

error damaged(const image_record& record, const std::string& file, const std::string& why) {
    return {errc::corrupt, "The bytes of " + store_index::describe(record.tenant, record.key) +
                               " are damaged: " + file + ' ' + why +
                               ". Restore the file from a backup, or upload the image again."};
}

}  // namespace

task<result<record_ptr>> filesystem_store::find(tenant_id tenant, std::string key) {
    auto found = catalog_.find(tenant, key);
    if (!found) co_return store_index::no_such_image(tenant, key);
    co_return std::move(found.record);
}

task<result<record_ptr>> filesystem_store::find_by_id(image_id id) {
    auto found = catalog_.find_by_id(id);
    if (!found) co_return error{errc::not_found, "There is no image with the id " + to_string(id) + "."};
    co_return std::move(found.record);
}

task<result<record_ptr>> filesystem_store::find_by_public_key(std::string public_key) {
    auto found = catalog_.find_by_public_key(public_key);
    if (!found) co_return error{errc::not_found, "There is no image with the public key " + public_key + "."};
    co_return std::move(found.record);
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
    const auto now = catalog_.find(record.tenant, record.key);
    if (!now || now.record->content_rev != record.content_rev) return std::nullopt;
    return cache_.find({record.content_rev, which == representation::preview && !record.preview_is_original});
}

task<result<image_page>> filesystem_store::list(image_query query) {
    if (query.page_size <= records_at_once && catalog_.titles_to_search(query) <= titles_at_once)
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

task<result<body>> filesystem_store::read(record_ptr record, representation which) {
    const auto is_current = [&] {
        const auto now = catalog_.find(record->tenant, record->key);
        return now && now.record->content_rev == record->content_rev;
    };
    if (!is_current()) co_return store_index::stale_record(*record);
    const bool preview = which == representation::preview && !record->preview_is_original;
    const body_key key{record->content_rev, preview};
    if (auto hot = cache_.find(key)) co_return std::move(*hot);

    // One reader brings a body in from the disk; others that want the same wait for it.
    const auto reading =
        co_await lanes_.acquire("read " + std::to_string(key.content_rev) + (preview ? " preview" : ""));
    if (auto hot = cache_.find(key)) co_return std::move(*hot);
    const auto folder = folder_of(record->tenant, record->key);
    auto work = [this, record, preview, folder] { return load(*record, preview, folder); };
    auto again = work;
    auto loaded = co_await offload(pool_, std::move(work));
    if (!loaded && loaded.error().code != errc::busy) {
        // Perhaps the folder was exchanged already by a write whose commit is on its way: wait for that one.
        const auto writing = co_await lanes_.acquire(folder);
        if (!is_current()) co_return store_index::stale_record(*record);
        loaded = co_await offload(pool_, std::move(again));
        if (!loaded) log_function_(plugin_context::log_level::error, loaded.error().message);
    }
    co_return loaded;
}

/// Reads and checks the file. That its bytes have the record's hash is what makes it the right file,
/// whatever was renamed or restored in between.
result<body> filesystem_store::load(const image_record& record, bool preview, const std::string& folder) {
    const auto& described = preview ? record.preview : record.original;
    const auto path = folder + '/' + body_name(record, preview);
    auto opened = open_to_read(root_.get(), path);
    if (!opened && opened.error().code == errc::not_found) return damaged(record, path, "is missing");
    if (!opened) return opened.error();
    auto file = std::make_shared<const file_handle>(opened->release());
    const auto state = state_of(file->descriptor());
    if (!state) return failure("Reading " + path, errno);
    if (state->size != described.size)
        return damaged(
            record, path,
            "has " + std::to_string(state->size) + " bytes instead of " + std::to_string(described.size));

    const bool in_memory = described.size < smallest_region;
    std::vector<char> buffer(static_cast<std::size_t>(
        in_memory ? described.size : std::min<std::uint64_t>(described.size, 256 * 1024)));
    sha256_hasher hasher;
    for (std::uint64_t done = 0; done < described.size;) {
        // The buffer is either as large as the file or used again and again.
        char* const into = buffer.data() + (in_memory ? done : 0);
        const auto wanted = std::min<std::uint64_t>(buffer.size(), described.size - done);
        const auto got = ::pread(file->descriptor(), into, wanted, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure("Reading " + path, errno);
        if (got == 0) return damaged(record, path, "ends too early");
        hasher.update({into, static_cast<std::size_t>(got)});
        done += static_cast<std::uint64_t>(got);
    }
    if (hasher.finish() != described.etag)
        return damaged(record, path, "does not have the SHA-256 of the record");

    const body_key key{record.content_rev, preview};
    if (in_memory) {
        auto content = bytes::own(std::move(buffer));
        cache_.put(key, content);
        return body(std::move(content));
    }
    // Somebody wrote to it while it was read: what was hashed is not what would be sent.
    if (state_of(file->descriptor()) != state) return damaged(record, path, "changes while it is read");
    if (tells_later_writes(*state)) cache_.put(key, file, *state);
    return body(file_region{std::move(file), 0, described.size});
}

task<result<change_batch>> filesystem_store::changes(revision after, std::size_t limit) {
    co_return feed_.after(after, limit);
}

task<result<revision>> filesystem_store::last_change() {
    co_return feed_.last();
}

void filesystem_store::on_change(std::function<void()> notify) {
    committer_->on_change(std::move(notify));
}

write_state filesystem_store::writing() const {
    if (!stop_.is_set()) return {};
    return {write_state::kind::failed, stop_.reason()};
}

std::vector<std::pair<std::string, double>> filesystem_store::statistics() const {
    const auto cache = cache_.statistics();
    const auto number = [](auto value) { return static_cast<double>(value); };
    return {{"images", number(catalog_.size())},
            {"documents", number(documents_.size())},
            {"changes_kept", number(feed_.size())},
            {"reserve_files", number(reserve_->size())},
            {"commits_total", number(committer_->commits())},
            {"commit_batches_total", number(committer_->batches())},
            {"body_cache_bytes", number(cache.bytes)},
            {"body_cache_open_files", number(cache.files)},
            {"body_cache_hits_total", number(cache.hits)},
            {"body_cache_misses_total", number(cache.misses)}};
}

}  // namespace gallery::file_store
