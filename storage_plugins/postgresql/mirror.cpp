// SPDX-License-Identifier: Apache-2.0
#include "mirror.hpp"

#include <gallery/kit/rules.hpp>

#include <algorithm>
#include <map>

namespace gallery::postgres {

constexpr int epoch_shift = 40;

mirror::mirror(std::size_t changes_kept) : feed_(changes_kept) {}

void mirror::put(const kit::stored& item, previous_version rule) {
    const auto& record = *item.record;
    const auto before = images_.find(record.tenant, record.key);
    usage_.apply(record.tenant, kit::usage_book::of_write(before.record.get(), &record, rule));
    images_.put(item, rule);
    if (before && !rule.is_kept() && dropped_ &&
        (before.record->content_rev != record.content_rev || before.record->id != record.id))
        dropped_(*before.record);
}

void mirror::erase(const image_record& record, previous_version rule, revision rev) {
    const auto before = images_.find(record.tenant, record.key);
    if (!before) return;
    usage_.apply(record.tenant, kit::usage_book::of_write(before.record.get(), nullptr, rule));
    images_.erase(record.tenant, record.key, rule, rev);
    if (!rule.is_kept() && dropped_) dropped_(*before.record);
}

void mirror::drop_version(const image_id& id, revision content_rev) {
    const auto dropped = images_.drop_kept(id, content_rev);
    if (!dropped) return;
    const auto& record = *dropped.version.record;
    usage_.apply(record.tenant, kit::usage_book::of_dropping(record));
    if (dropped_) dropped_(record);
}

void mirror::apply_image(const event& one) {
    const auto rule = one.kept != 0 ? previous_version::keep(one.kept_time) : previous_version::drop();
    switch (one.what) {
        case change::kind::image_saved:
            return put(one.image, rule);
        case change::kind::image_updated:
            return put(one.image, previous_version::drop());
        case change::kind::image_erased:
            return erase(*one.image.record, rule, one.rev);
        case change::kind::version_kept:
            usage_.apply(one.image.record->tenant, kit::usage_book::of_keeping(*one.image.record));
            return images_.put_kept(
                {{one.image.record, one.rev, one.kept_time, one.is_erased}, one.image.body});
        case change::kind::version_dropped:
            return drop_version(one.image.record->id, one.kept);
        case change::kind::document_saved:
        case change::kind::document_erased:
            return;
    }
}

void mirror::apply(std::vector<event> events, revision reached) {
    if (is_loading_)
        arrived_.push_back({std::move(events), reached});
    else
        apply_now(std::move(events), reached);
}

void mirror::apply_now(std::vector<event> events, revision reached) {
    bool has_changed = false;
    const auto known = position();
    for (std::size_t i = 0; i < events.size();) {
        if (events[i].rev <= known) {
            ++i;
            continue;
        }
        has_changed = true;
        std::vector<change> entries;
        std::vector<document_write> documents;
        const auto write = events[i].write;
        for (; i < events.size() && events[i].write == write; ++i) {
            auto& one = events[i];
            entries.push_back(change_of(one));
            if (one.what == change::kind::document_saved)
                documents.push_back(document_write::save(std::move(one.doc), precondition::any()));
            else if (one.what == change::kind::document_erased)
                documents.push_back(document_write::erase(one.doc.kind, one.doc.id, precondition::any()));
            else
                apply_image(one);
        }
        if (!documents.empty()) documents_.apply(std::move(documents));
        const auto rev = entries.back().rev;
        feed_.append(std::move(entries));
        position_.store(rev, std::memory_order_release);
    }
    if (reached > position()) position_.store(reached, std::memory_order_release);
    if (has_changed && changed_) changed_();
}

bool mirror::is_lost(revision place) const noexcept {
    if (place > position()) return true;
    const auto epoch = static_cast<std::int64_t>(place >> epoch_shift);
    for (const auto& one : history_)
        if (one.epoch > epoch) return one.began_after < place;
    return false;
}

result<change_batch> mirror::changes(revision after, std::size_t limit) const {
    const bool lost = is_lost(after);
    auto batch = feed_.after(lost ? 0 : after, limit);
    if (!batch) return batch;
    batch->gap = batch->gap || lost;
    return batch;
}

void mirror::begin_load() {
    is_loading_ = true;
    images_.begin_loading();
    replaces_images_ = images_.size() != 0;
    replaces_versions_ = images_.kept_size() != 0;
    loaded_images_.clear();
    loaded_versions_.clear();
    loaded_documents_.clear();
    loaded_usage_.clear();
}

void mirror::load_image(const kit::stored& item) {
    const auto& record = *item.record;
    if (!replaces_images_) {
        const auto figures = kit::figures_of(record);
        auto& sum = loaded_usage_[record.tenant].added.images;
        sum.count += figures.count;
        sum.original_bytes += figures.original_bytes;
        sum.preview_bytes += figures.preview_bytes;
        return images_.load(item);
    }
    loaded_images_.insert(record.id);
    const auto current = images_.find(record.tenant, record.key);
    if (current && current.record->rev == record.rev) return;
    const auto release = [&](const kit::stored& owner) {
        if (owner && (owner.record->tenant != record.tenant || owner.record->key != record.key))
            erase(*owner.record, previous_version::drop(), 0);
    };
    release(images_.find_by_id(record.id));
    if (!record.public_key.empty()) release(images_.find_by_public_key(record.public_key));
    put(item, previous_version::drop());
}

void mirror::load_version(kit::stored_version item) {
    const auto& record = *item.version.record;
    if (replaces_versions_) {
        loaded_versions_.emplace(record.id, record.content_rev);
        const auto current = images_.find_kept(record.id, record.content_rev);
        if (current && current.version.kept_rev == item.version.kept_rev) return;
        drop_version(record.id, record.content_rev);
    }
    usage_.apply(record.tenant, kit::usage_book::of_keeping(record));
    images_.put_kept(std::move(item));
}

void mirror::load_document(document doc) {
    loaded_documents_.push_back(std::move(doc));
}

void mirror::end_load(revision at, revision trimmed, std::vector<change> changes) {
    std::string cursor;
    if (replaces_images_) {
        std::vector<record_ptr> gone;
        do {
            auto page = images_.scan(std::nullopt, cursor, 10'000);
            for (auto& record : page->items)
                if (!loaded_images_.contains(record->id)) gone.push_back(std::move(record));
            cursor = page->cursor;
        } while (!cursor.empty());
        for (const auto& record : gone)
            erase(*record, previous_version::drop(), 0);
    } else {
        images_.finish_loading();
        for (const auto& [tenant, sum] : loaded_usage_)
            usage_.apply(tenant, sum);
    }
    if (replaces_versions_) {
        std::vector<record_ptr> dropped;
        do {
            auto page = images_.kept(std::nullopt, kept_order::oldest_first, cursor, 10'000);
            for (auto& version : page->items)
                if (!loaded_versions_.contains({version.record->id, version.record->content_rev}))
                    dropped.push_back(std::move(version.record));
            cursor = page->cursor;
        } while (!cursor.empty());
        for (const auto& record : dropped)
            drop_version(record->id, record->content_rev);
    }
    // All documents change at one moment.
    std::map<std::pair<std::string, std::string>, document_write> next;
    for (const auto& doc : documents_.all())
        next.insert_or_assign({doc.kind, doc.id},
                              document_write::erase(doc.kind, doc.id, precondition::any()));
    for (auto& doc : loaded_documents_) {
        std::pair name(doc.kind, doc.id);
        next.insert_or_assign(std::move(name), document_write::save(std::move(doc), precondition::any()));
    }
    std::vector<document_write> parts;
    for (auto& [name, part] : next)
        parts.push_back(std::move(part));
    documents_.apply(std::move(parts));

    // What arrived continues the old contents, so the snapshot has it unless it reaches less far than those
    // did: then the store has lost it.
    const bool goes_on = at >= position();
    feed_.clear_to(trimmed, std::move(changes));
    position_.store(at, std::memory_order_release);
    is_loading_ = false;
    for (auto& late : std::exchange(arrived_, {}))
        if (goes_on) apply_now(std::move(late.events), late.reached);
    loaded_images_.clear();
    loaded_versions_.clear();
    loaded_documents_.clear();
    loaded_usage_.clear();
    if (changed_) changed_();
}

}  // namespace gallery::postgres
