// Writing images: preconditions under the locks of the names, then one synchronised batch.
#include "codec.hpp"
#include "records.hpp"
#include "store.hpp"

#include <cerrno>
#include <cstring>

namespace gallery::rocks {
namespace {

write_outcome refused(write_status status, const record_ptr& current) {
    return {status, current ? current->rev : 0, current};
}

/// A body in memory; one that lies in a file is read.
result<bytes> in_memory(const body& given) {
    auto loaded = given.load();
    if (!loaded)
        return error{errc::io_error,
                     std::string("The bytes to store cannot be read: ") + std::strerror(errno) + "."};
    return std::move(*loaded);
}

}  // namespace

result<record_ptr> store::current(std::string_view record_key) const {
    return *load_record(*engine_, record_key, engine::reach::disk);
}

result<std::optional<std::string>> store::owner_of(const std::string& lookup_key) const {
    rocksdb::PinnableSlice value;
    const auto status = engine_->get(family::lookup, lookup_key, value, engine::reach::disk);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return to_error(status, "looking an image up");
    return std::optional<std::string>(value.ToString());
}

task<result<write_outcome>> store::save(image_record record, body original, body preview,
                                        precondition condition) {
    if (record.preview_is_original) preview = body();
    if (original.size() != record.original.size ||
        (!record.preview_is_original && preview.size() != record.preview.size))
        co_return error{
            errc::invalid_argument,
            "The sizes of the bytes and of their description differ for image \"" + record.key + "\"."};
    const std::uint64_t size = original.size() + preview.size();
    auto work = [this, record = std::move(record), original = std::move(original),
                 preview = std::move(preview), condition]() mutable {
        return guarded([&] { return save_now(record, original, preview, condition); });
    };
    co_return co_await offload_through(gate_, size, std::move(work));
}

result<write_outcome> store::save_now(image_record& record, const body& original, const body& preview,
                                      precondition condition) {
    const auto original_bytes = in_memory(original);
    if (!original_bytes) return original_bytes.error();
    const auto preview_bytes = in_memory(preview);
    if (!preview_bytes) return preview_bytes.error();

    const std::string key = record_key(record.tenant, record.key);
    const std::string id_key = id_lookup_key(record.id);
    const std::string public_key = public_lookup_key(record.public_key);
    const auto locked = names_.lock({key, id_key, public_key});
    const auto before = current(key);
    if (!before) return before.error();
    if (!condition.holds(*before ? (*before)->rev : 0)) return refused(write_status::conflict, *before);
    const auto id_owner = owner_of(id_key);
    if (!id_owner) return id_owner.error();
    if (*id_owner && **id_owner != key)
        return error{errc::invalid_argument, "The id " + to_string(record.id) + " belongs to " +
                                                 describe_image(**id_owner) + " already."};
    if (!record.public_key.empty()) {
        const auto public_owner = owner_of(public_key);
        if (!public_owner) return public_owner.error();
        if (*public_owner && **public_owner != key) return refused(write_status::public_key_taken, *before);
    }

    open_write write(*this, original_bytes->size() + preview_bytes->size() + 8192);
    record.rev = record.content_rev = write.rev();
    const auto after = std::make_shared<const image_record>(std::move(record));
    auto* const bodies = engine_->handle(family::bodies);
    const auto put_body = [&](representation which, const bytes& content) {
        write.batch().Put(bodies, body_key(after->id, after->content_rev, which), slice(content.view()));
    };
    put_body(representation::original, *original_bytes);
    if (!after->preview_is_original) put_body(representation::preview, *preview_bytes);
    if (auto done = commit_image(write, *before, after, change::kind::image_saved); !done)
        return done.error();
    return write_outcome{write_status::committed, after->rev, after};
}

task<result<write_outcome>> store::update(image_record record, precondition condition) {
    auto work = [this, record = std::move(record), condition] {
        return guarded([&] { return update_now(record, condition); });
    };
    co_return co_await offload(writers_, std::move(work));
}

result<write_outcome> store::update_now(const image_record& changed, precondition condition) {
    const std::string key = record_key(changed.tenant, changed.key);
    const auto locked = names_.lock({key});
    const auto before = current(key);
    if (!before) return before.error();
    if (!*before) return refused(write_status::absent, *before);
    if (!condition.holds((*before)->rev)) return refused(write_status::conflict, *before);

    open_write write(*this);
    auto made = std::make_shared<image_record>(**before);
    made->title = changed.title;
    made->file_name = changed.file_name;
    made->sub_type = changed.sub_type;
    made->is_public = changed.is_public;
    made->external_id = changed.external_id;
    made->origin = changed.origin;
    made->rev = write.rev();
    const record_ptr after = std::move(made);
    if (auto done = commit_image(write, *before, after, change::kind::image_updated); !done)
        return done.error();
    return write_outcome{write_status::committed, after->rev, after};
}

task<result<write_outcome>> store::erase(tenant_id tenant, std::string key, precondition condition) {
    auto work = [this, tenant, key = std::move(key), condition] {
        return guarded([&] { return erase_now(tenant, key, condition); });
    };
    co_return co_await offload(writers_, std::move(work));
}

result<write_outcome> store::erase_now(tenant_id tenant, const std::string& key, precondition condition) {
    const std::string full = record_key(tenant, key);
    const auto locked = names_.lock({full});
    const auto before = current(full);
    if (!before) return before.error();
    if (!*before) return refused(write_status::absent, *before);
    if (!condition.holds((*before)->rev)) return refused(write_status::conflict, *before);

    open_write write(*this);
    const revision rev = write.rev();
    if (auto done = commit_image(write, *before, nullptr, change::kind::image_erased); !done)
        return done.error();
    return write_outcome{write_status::committed, rev, nullptr};
}

/// Adds to the batch what follows from one record taking the place of another (either may be null), all
/// but new bytes; commits; tells the caches, the lists and the feed.
result<void> store::commit_image(open_write& write, const record_ptr& before, const record_ptr& after,
                                 change::kind what) {
    auto& batch = write.batch();
    const image_record& subject = after ? *after : *before;
    const std::string key = record_key(subject.tenant, subject.key);
    const bool new_bytes = what != change::kind::image_updated;

    auto* const records = engine_->handle(family::records);
    if (after)
        batch.Put(records, key, encode_record(key, *after));
    else
        batch.Delete(records, key);

    if (before && new_bytes) {
        auto* const bodies = engine_->handle(family::bodies);
        batch.Delete(bodies, body_key(before->id, before->content_rev, representation::original));
        if (!before->preview_is_original)
            batch.Delete(bodies, body_key(before->id, before->content_rev, representation::preview));
    }

    auto* const lookup = engine_->handle(family::lookup);
    if (before && (!after || before->id != after->id)) batch.Delete(lookup, id_lookup_key(before->id));
    if (after && (!before || before->id != after->id)) batch.Put(lookup, id_lookup_key(after->id), key);
    const bool same_public = before && after && before->public_key == after->public_key;
    if (before && !same_public && !before->public_key.empty())
        batch.Delete(lookup, public_lookup_key(before->public_key));
    if (after && !same_public && !after->public_key.empty())
        batch.Put(lookup, public_lookup_key(after->public_key), key);

    std::vector<page_ranks::delta> deltas;
    auto* const index = engine_->handle(family::index);
    auto old_entries = before ? index_entries(*before) : std::vector<index_entry>();
    auto new_entries = after ? index_entries(*after) : std::vector<index_entry>();
    for (std::size_t i = 0; i < all_properties.size(); ++i) {
        const bool same_key = before && after && old_entries[i].key == new_entries[i].key;
        if (same_key) {
            if (old_entries[i].value != new_entries[i].value)
                batch.Put(index, new_entries[i].key, new_entries[i].value);
            continue;
        }
        if (before) {
            batch.Delete(index, old_entries[i].key);
            deltas.push_back({std::move(old_entries[i].key), false});
        }
        if (after) {
            batch.Put(index, new_entries[i].key, new_entries[i].value);
            deltas.push_back({std::move(new_entries[i].key), true});
        }
    }
    auto* const meta = engine_->handle(family::meta);
    if (!before || !after || before->sub_type != after->sub_type) {
        if (before) batch.Merge(meta, counter_key(before->tenant, before->sub_type), encode_number(~0ULL));
        if (after) batch.Merge(meta, counter_key(after->tenant, after->sub_type), encode_number(1));
    }

    change event;
    event.what = what;
    event.tenant = subject.tenant;
    event.key = subject.key;
    event.id = subject.id;
    event.public_key = subject.public_key;
    const std::string position = change_key(write.rev());
    batch.Put(engine_->handle(family::changes), position, encode_change(position, event));

    const auto announced = ranks_.announce(std::move(deltas));
    const auto share = what == change::kind::image_saved     ? reserve_share::none
                       : what == change::kind::image_updated ? reserve_share::half
                                                             : reserve_share::all;
    const auto committed = engine_->commit(batch, share);
    if (before) invalidate(*before, new_bytes);
    if (after) invalidate(*after, false);
    ranks_.settle(announced, committed ? page_ranks::outcome::committed : page_ranks::outcome::unknown);
    if (!committed) return committed.error();

    if (after) {
        // The lock of the record's key is held: nobody else puts another record there.
        std::string cache_key = "r" + key;
        const auto generation = record_cache_.generation(cache_key);
        record_cache_.put(std::move(cache_key), after, memory_of(*after), generation);
    }
    if (!before) records_.fetch_add(1, std::memory_order_relaxed);
    if (!after) records_.fetch_sub(1, std::memory_order_relaxed);
    write.committed();
    return {};
}

void store::invalidate(const image_record& record, bool bytes_too) {
    record_cache_.erase("r" + record_key(record.tenant, record.key));
    record_cache_.erase(id_lookup_key(record.id));
    record_cache_.erase(public_lookup_key(record.public_key));
    if (!bytes_too) return;
    body_cache_.erase(body_name{record.id, record.content_rev, representation::original});
    body_cache_.erase(body_name{record.id, record.content_rev, representation::preview});
}

}  // namespace gallery::rocks
