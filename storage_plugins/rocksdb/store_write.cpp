// SPDX-License-Identifier: Apache-2.0
// Writing images: preconditions under the locks of the names, then one synchronised batch.
#include "codec.hpp"
#include "records.hpp"
#include "store.hpp"
#include "usage.hpp"

#include <gallery/kit/rules.hpp>

#include <cerrno>
#include <cstring>

namespace gallery::rocks {

result<bytes> in_memory(const body& given) {
    auto loaded = given.load();
    if (!loaded)
        return error{errc::io_error,
                     std::string("The bytes to store cannot be read: ") + std::strerror(errno) + "."};
    return std::move(*loaded);
}

/// One record taking the place of another; either may be null.
struct store::image_write {
    change::kind what = change::kind::image_saved;
    record_ptr before;
    record_ptr after;
    previous_version previous = previous_version::drop();

    [[nodiscard]] bool keeps() const noexcept {
        return before && what != change::kind::image_updated && previous.is_kept();
    }
    /// content_rev of the version that is kept, else 0.
    [[nodiscard]] revision kept() const noexcept { return keeps() ? before->content_rev : 0; }
    [[nodiscard]] const image_record& subject() const noexcept { return after ? *after : *before; }
    [[nodiscard]] reserve_share share() const noexcept {
        if (what == change::kind::image_updated) return reserve_share::half;
        return what == change::kind::image_erased && !keeps() ? reserve_share::all : reserve_share::none;
    }
};

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

task<result<write_outcome>> store::save(image_record record, body original, body preview, write_rules rules) {
    if (record.preview_is_original) preview = body();
    if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
    const std::uint64_t size = original.size() + preview.size();
    auto work = [this, record = std::move(record), original = std::move(original),
                 preview = std::move(preview), rules]() mutable {
        return guarded([&] { return save_now(record, original, preview, rules); });
    };
    co_return co_await kit::offload_through(gate_, writers_, size, std::move(work));
}

result<write_outcome> store::save_now(image_record& record, const body& original, const body& preview,
                                      const write_rules& rules) {
    const std::string key = record_key(record.tenant, record.key);
    const std::string id_key = id_lookup_key(record.id);
    const std::string public_key = public_lookup_key(record.public_key);
    const auto locked = names_.lock({key, id_key, public_key});
    const auto before = current(key);
    if (!before) return before.error();
    if (!rules.condition.holds(*before ? (*before)->rev : 0))
        return kit::refused(write_status::conflict, *before);
    const auto id_owner = owner_of(id_key);
    if (!id_owner) return id_owner.error();
    if (*id_owner && **id_owner != key)
        return error{errc::invalid_argument, "The id " + to_string(record.id) + " already belongs to " +
                                                 describe_image(**id_owner) + "."};
    if (!record.public_key.empty()) {
        const auto public_owner = owner_of(public_key);
        if (!public_owner) return public_owner.error();
        if (*public_owner && **public_owner != key)
            return kit::refused(write_status::public_key_taken, *before);
    }
    const auto by = kit::usage_book::of_write(before->get(), &record, rules.previous);
    auto charge = usage_.take(record.tenant, by, rules.limit);
    if (!charge) return kit::refused(write_status::over_limit, *before);

    // Files are synchronised before the write has a revision, so that later ones do not wait for them.
    auto bodies = stage_bodies(record, original, preview);
    if (!bodies) return bodies.error();
    open_write write(*this, 1, bodies->in_memory() + 8192);
    record.rev = record.content_rev = write.rev();
    const image_write what{change::kind::image_saved, *before,
                           std::make_shared<const image_record>(std::move(record)), rules.previous};
    put_bodies(write, *what.after, std::move(*bodies));
    count_usage(write.batch(), what.after->tenant, by);
    if (auto done = commit_image(write, what); !done) return done.error();
    charge->commit();
    write.committed();
    return write_outcome{write_status::committed, what.after->rev, what.after, what.kept()};
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
    if (!*before) return kit::refused(write_status::absent, nullptr);
    if (!condition.holds((*before)->rev)) return kit::refused(write_status::conflict, *before);

    open_write write(*this);
    const image_write what{
        change::kind::image_updated, *before,
        std::make_shared<const image_record>(kit::updated(**before, changed, write.rev()))};
    if (auto done = commit_image(write, what); !done) return done.error();
    write.committed();
    return write_outcome{write_status::committed, what.after->rev, what.after};
}

task<result<write_outcome>> store::erase(tenant_id tenant, std::string key, write_rules rules) {
    auto work = [this, tenant, key = std::move(key), rules] {
        return guarded([&] { return erase_now(tenant, key, rules); });
    };
    co_return co_await offload(writers_, std::move(work));
}

result<write_outcome> store::erase_now(tenant_id tenant, const std::string& key, const write_rules& rules) {
    const std::string full = record_key(tenant, key);
    const auto locked = names_.lock({full});
    const auto before = current(full);
    if (!before) return before.error();
    if (!*before) return kit::refused(write_status::absent, nullptr);
    if (!rules.condition.holds((*before)->rev)) return kit::refused(write_status::conflict, *before);

    open_write write(*this);
    const revision rev = write.rev();
    const image_write what{change::kind::image_erased, *before, nullptr, rules.previous};
    const auto by = kit::usage_book::of_write(before->get(), nullptr, rules.previous);
    count_usage(write.batch(), tenant, by);
    if (auto done = commit_image(write, what); !done) return done.error();
    usage_.apply(tenant, by);
    write.committed();
    return write_outcome{write_status::committed, rev, nullptr, what.kept()};
}

result<void> store::commit(rocksdb::WriteBatch& batch, reserve_share share,
                           std::vector<body_files::draft>& added) {
    if (auto refused = engine_->refuse(batch.GetDataSize(), share)) return std::move(*refused);
    for (auto& file : added)
        file.begin();
    auto done = engine_->commit_admitted(batch, share);
    if (done)
        for (auto& file : added)
            file.end();
    return done;
}

result<store::staged_body> store::stage_body(const image_id& id, representation which, const body& content) {
    staged_body staged;
    if (is_file_size(content.size())) {
        auto file = files_.write(id, which, content);
        if (!file) return file.error();
        staged.file.emplace(std::move(*file));
        return staged;
    }
    auto loaded = in_memory(content);
    if (!loaded) return loaded.error();
    staged.memory = std::move(*loaded);
    return staged;
}

result<store::staged_bodies> store::stage_bodies(const image_record& record, const body& original,
                                                 const body& preview) {
    auto first = stage_body(record.id, representation::original, original);
    if (!first) return first.error();
    if (record.preview_is_original) return staged_bodies{std::move(*first), {}};
    auto second = stage_body(record.id, representation::preview, preview);
    if (!second) return second.error();
    return staged_bodies{std::move(*first), std::move(*second)};
}

void store::put_body(open_write& write, const image_record& record, representation which,
                     staged_body&& content) {
    if (content.file) {
        files_.put_reference(write.batch(), content.file->file(), record.content_rev);
        write.add(std::move(*content.file));
        return;
    }
    write.batch().Put(engine_->handle(family::bodies), body_key(record.id, record.content_rev, which),
                      slice(content.memory.view()));
}

void store::put_bodies(open_write& write, const image_record& record, staged_bodies&& content) {
    put_body(write, record, representation::original, std::move(content.original));
    if (!record.preview_is_original)
        put_body(write, record, representation::preview, std::move(content.preview));
}

result<void> store::delete_bodies(open_write& write, const image_record& record) {
    for (const auto which : {representation::original, representation::preview}) {
        if (which == representation::preview && record.preview_is_original) continue;
        const auto file = files_.find(record.id, record.content_rev, which, engine::reach::disk);
        if (!file) return file.error();
        if (*file) {
            files_.put_removal(write.batch(), **file, record.content_rev);
            write.drop(**file);
        } else {
            write.batch().Delete(engine_->handle(family::bodies),
                                 body_key(record.id, record.content_rev, which));
        }
    }
    return {};
}

void store::put_change(rocksdb::WriteBatch& batch, const change& event) const {
    const std::string position = change_key(event.rev);
    batch.Put(engine_->handle(family::changes), position, encode_change(position, event));
}

void store::count_usage(rocksdb::WriteBatch& batch, tenant_id tenant,
                        const kit::usage_book::difference& by) const {
    const auto added = numbers_of(by.added);
    const auto removed = numbers_of(by.removed);
    for (std::size_t i = 0; i < usage_figure_count; ++i)
        if (added[i] != removed[i])  // what is taken away is added modulo 2^64
            batch.Merge(engine_->handle(family::meta), usage_key(tenant, i),
                        encode_number(added[i] - removed[i]));
}

/// Adds to the batch what follows from one record taking the place of another, all but new bytes and usage;
/// commits; tells the caches and the lists.
result<void> store::commit_image(open_write& write, const image_write& what) {
    auto& batch = write.batch();
    const auto& before = what.before;
    const auto& after = what.after;
    const image_record& subject = what.subject();
    const std::string key = record_key(subject.tenant, subject.key);
    const bool new_bytes = what.what != change::kind::image_updated;

    auto* const records = engine_->handle(family::records);
    if (after)
        batch.Put(records, key, encode_record(key, *after));
    else
        batch.Delete(records, key);

    if (what.keeps())
        put_kept(batch, {before, write.rev(), what.previous.time(), what.what == change::kind::image_erased});
    else if (before && new_bytes)
        if (auto deleted = delete_bodies(write, *before); !deleted) return deleted;

    auto* const lookup = engine_->handle(family::lookup);
    const auto replace_lookup = [&](std::string old_key, std::string new_key) {
        if (old_key == new_key) return;
        if (!old_key.empty()) batch.Delete(lookup, old_key);
        if (!new_key.empty()) batch.Put(lookup, new_key, key);
    };
    replace_lookup(before ? id_lookup_key(before->id) : "", after ? id_lookup_key(after->id) : "");
    replace_lookup(before && !before->public_key.empty() ? public_lookup_key(before->public_key) : "",
                   after && !after->public_key.empty() ? public_lookup_key(after->public_key) : "");
    replace_lookup(before ? content_lookup_key(*before) : "", after ? content_lookup_key(*after) : "");

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
    put_change(batch, kit::image_change(what.what, subject, write.rev(), what.kept()));

    const auto announced = ranks_.announce(std::move(deltas));
    const auto announced_search = searches_.announce({subject.tenant, write.rev(), before, after});
    const auto committed = write.commit(what.share());
    if (before) invalidate(*before);
    if (after) invalidate(*after);
    if (before && new_bytes && !what.keeps()) invalidate_bodies(*before);
    // On a full disk many writes fail, and none of them may cost the lists their indexes.
    const bool is_unchanged =
        !committed && (committed.error().code == errc::no_space || committed.error().code == errc::read_only);
    ranks_.settle(announced, committed      ? page_ranks::outcome::committed
                             : is_unchanged ? page_ranks::outcome::unchanged
                                            : page_ranks::outcome::unknown);
    searches_.settle(announced_search, committed      ? search_index::outcome::committed
                                       : is_unchanged ? search_index::outcome::unchanged
                                                      : search_index::outcome::unknown);
    if (!committed) return committed.error();

    if (after) {
        // The lock of the record's key is held: no other thread can store another record.
        std::string cache_key = "r" + key;
        const auto generation = record_cache_.generation(cache_key);
        record_cache_.put(std::move(cache_key), after, memory_of(*after), generation);
    }
    if (!before) records_.fetch_add(1, std::memory_order_relaxed);
    if (!after) records_.fetch_sub(1, std::memory_order_relaxed);
    if (what.keeps()) kept_versions_.fetch_add(1, std::memory_order_relaxed);
    return {};
}

void store::invalidate(const image_record& record) {
    record_cache_.erase("r" + record_key(record.tenant, record.key));
    record_cache_.erase(id_lookup_key(record.id));
    record_cache_.erase(public_lookup_key(record.public_key));
}

void store::invalidate_bodies(const image_record& record) {
    for (const auto which : {representation::original, representation::preview}) {
        const kit::body_name name{record.id, record.content_rev, which};
        body_cache_.erase(name);
        open_files_.erase(name);
    }
}

}  // namespace gallery::rocks
