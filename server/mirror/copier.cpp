// SPDX-License-Identifier: Apache-2.0
#include "mirror/copier.hpp"

#include "mirror/at_once.hpp"
#include "mirror/identity.hpp"
#include "mirror/kept_sync.hpp"
#include "mirror/sameness.hpp"

#include <gallery/clock.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace gallery::mirror {

namespace {

constexpr std::size_t batch_size = 1'000;

/// Between two pages of a pass, and before follow() returns to a caller with other work. A page changes fewer
/// images than this, so the position does not fall behind.
constexpr int max_batches = 8;

/// Changes are applied as in an ordinary pass: what they find to be different is no difference.
class without_bodies {
public:
    explicit without_bodies(work& all) : all_(all), before_(std::exchange(all.reads_bodies, false)) {}
    without_bodies(const without_bodies&) = delete;
    without_bodies& operator=(const without_bodies&) = delete;
    ~without_bodies() { all_.reads_bodies = before_; }

private:
    work& all_;
    const bool before_;
};

error written_by_another() {
    return {errc::version_conflict,
            "another process copies into the same target, or uses it. Stop one of them"};
}

}  // namespace

copier::copier(storage_engine& source, storage_engine& target, std::string source_name, copy_options options)
    : work_(source, target, std::move(options)), images_(work_), source_name_(std::move(source_name)) {}

task<result<void>> copier::begin(bool any_source) {
    if (auto sound = co_await check_source(); !sound) co_return sound;
    if (auto state = work_.to.writing(); state.state != write_state::kind::ok)
        co_return error{errc::read_only, "the target does not accept writes: " + state.reason};
    const auto known = co_await find_mark(work_.to.documents());
    if (!known) co_return of_target(known.error());
    is_new_ = !known->has_value();
    if (known->has_value()) {
        const stored_mark& stored = **known;
        if (!any_source) {
            if (auto same = check_same_source(stored.value); !same) co_return same;
            if (auto checked = co_await check_history(stored.value); !checked) co_return checked;
        }
        mark_ = stored.value;
        mark_rev_ = stored.rev;
    } else {
        const auto expected = co_await is_expected();
        if (!expected) co_return expected.error();
        if (!*expected) {
            if (auto empty = co_await check_empty(); !empty) co_return empty;
        }
        mark_ = mark();
        mark_rev_ = 0;
        mark_.begun_time = now_ms();
    }
    mark_.source = source_name_;
    mark_.source_id = source_id_;
    if (auto identified = co_await ensure_identity(work_.to.documents()); !identified)
        co_return of_target(identified.error());
    co_return co_await start_pass_at_end();
}

task<result<void>> copier::begin_verification() {
    const bool follows_versions = follows_versions_;
    // Changes that are not applied yet explain differences, so they must still be read.
    if (auto started = co_await start_pass(mark_.position); !started) co_return started;
    work_.reads_bodies = true;
    follows_versions_ = follows_versions;
    co_return result<void>();
}

result<void> copier::check_same_source(const mark& stored) const {
    if (stored.source != source_name_) {
        return error{errc::already_exists,
                     "the target is a copy of " + stored.source + " and not of " + source_name_};
    }
    if (stored.source_id.empty() || source_id_.empty()) {
        return error{errc::already_exists,
                     "it is not known whether the target is a copy of the store in " + source_name_ +
                         ", because " + (source_id_.empty() ? "that store" : "the source of the target") +
                         " has no identity. A server gives its store an identity when it starts. To "
                         "make the target equal to the store, use --any-source"};
    }
    if (stored.source_id != source_id_) {
        return error{errc::already_exists, "the target is a copy of another store that was in the place of " +
                                               source_name_ + " before"};
    }
    return {};
}

task<result<void>> copier::check_history(mark stored) {
    const auto newest = co_await work_.from.feed().last();
    if (!newest) co_return of_source(newest.error());
    if (auto read = co_await read_starts(); !read) co_return read;
    if (has_history(starts_, *newest, stored.source_start, stored.position)) co_return result<void>();
    co_return error{
        errc::already_exists,
        "the store in " + source_name_ +
            " was put back at an earlier state than the one that the target contains (revision " +
            std::to_string(stored.position) +
            "). What was written after that state is only in the target, and would be removed from it. Keep "
            "the target and choose another folder, or use --any-source to make it equal to the store"};
}

task<result<void>> copier::read_starts() {
    auto starts = co_await find_starts(work_.from.documents());
    if (!starts) co_return of_source(starts.error());
    starts_ = std::move(*starts);
    co_return result<void>();
}

task<result<void>> copier::check_source() {
    const auto known = co_await find_mark(work_.from.documents());
    if (!known) co_return of_source(known.error());
    if (known->has_value() && !(*known)->value.is_complete) {
        co_return error{errc::invalid_argument, "the source is itself an incomplete copy of " +
                                                    (*known)->value.source + ". Complete that copy first"};
    }
    work_.absent.disregard(known->has_value() ? (*known)->value.set_aside : 0);
    auto identity = co_await find_identity(work_.from.documents());
    if (!identity) co_return of_source(identity.error());
    source_id_ = std::move(*identity);
    co_return result<void>();
}

task<result<void>> copier::check_empty() {
    const std::optional<tenant_id> everybody;
    const auto used = co_await work_.to.images().usage(everybody);
    if (!used) co_return of_target(used.error());
    std::uint64_t documents = 0;
    std::string cursor;
    do {
        auto page = co_await work_.to.documents().scan("", std::move(cursor), work_.options.page);
        if (!page) co_return of_target(page.error());
        for (const auto& one : page->items)
            documents += is_copied(one.kind) ? 1 : 0;
        cursor = std::move(page->cursor);
    } while (!cursor.empty());
    if (used->images.count == 0 && used->kept.count == 0 && documents == 0) co_return result<void>();
    co_return error{errc::already_exists,
                    "the target contains other data: " + std::to_string(used->images.count) + " images, " +
                        std::to_string(used->kept.count) + " kept versions and " + std::to_string(documents) +
                        " documents. A copy requires an empty store; choose another folder"};
}

task<result<void>> copier::start_pass_at_end() {
    // In this order: a start that is added in between has found this position.
    const auto last = co_await work_.from.feed().last();
    if (!last) co_return of_source(last.error());
    if (auto read = co_await read_starts(); !read) co_return read;
    co_return co_await start_pass(*last);
}

task<result<void>> copier::start_pass(revision position) {
    work_.begin_pass();
    work_.forget_differences();
    work_.reads_bodies = is_verified_ = follows_versions_ = false;
    work_.done.images_done = images_passed_ = 0;
    work_.done.bytes_done = bytes_passed_ = 0;
    cursor_.clear();
    mark next = mark_;
    next.position = position;
    next.at = stage::documents;
    next.is_complete = false;
    co_return co_await store_mark(std::move(next));
}

task<result<void>> copier::count() {
    const std::optional<tenant_id> everybody;
    const auto used = co_await work_.from.images().usage(everybody);
    if (!used) co_return of_source(used.error());
    work_.done.images_total = used->images.count;
    work_.done.bytes_total = used->images.original_bytes + used->images.preview_bytes;
    co_return result<void>();
}

task<result<void>> copier::enter(stage next) {
    mark entered = mark_;
    entered.at = next;
    entered.is_complete = false;
    auto stored = co_await store_mark(std::move(entered));
    if (stored) cursor_.clear();
    co_return stored;
}

task<result<void>> copier::advance(std::string cursor) {
    mark next = mark_;
    auto stored = co_await store_mark(std::move(next));
    if (stored) cursor_ = std::move(cursor);
    co_return stored;
}

task<result<void>> copier::store_mark(mark next, std::optional<document_write> condition) {
    next.changed_time = now_ms();
    next.is_damaged = work_.done.damaged > 0;
    next.source_start = starts_.empty() ? std::string() : starts_.back().id;
    const auto expected = mark_rev_ == 0 ? precondition::absent() : precondition::match(mark_rev_);
    std::vector<document_write> parts;
    parts.push_back(document_write::save(to_document(next), expected));
    if (condition) parts.push_back(std::move(*condition));
    const auto stored = co_await work_.to.documents().write(std::move(parts));
    if (!stored) co_return of_target(stored.error());
    if (stored->status != write_status::committed) {
        if (stored->failed == 0) co_return written_by_another();
        co_return error{errc::version_conflict,
                        "the claim that keeps other servers away from the target during the switch was taken "
                        "away (gallery-admin reinstate)"};
    }
    mark_rev_ = stored->revs.front();
    mark_ = std::move(next);
    work_.done.at = mark_.at;
    work_.report();
    co_return result<void>();
}

task<result<void>> copier::check_mark() {
    std::vector<document_write> parts;
    parts.push_back(document_write::require(std::string(mark_kind), mark_id, precondition::match(mark_rev_)));
    const auto found = co_await work_.to.documents().write(std::move(parts));
    if (!found) co_return of_target(found.error());
    if (found->status != write_status::committed) co_return written_by_another();
    co_return result<void>();
}

task<result<copier::reach>> copier::copy() {
    if (auto counted = co_await count(); !counted) co_return counted.error();
    work_.done.at = mark_.at;
    while (mark_.at != stage::following) {
        const auto followed = co_await follow();
        if (!followed || *followed == reach::gap) co_return followed;
        if (auto ours = co_await check_mark(); !ours) co_return ours.error();
        if (auto passed = co_await pass(); !passed) co_return passed.error();
    }
    co_return reach::end;
}

task<result<void>> copier::copy_all() {
    for (;;) {
        const auto copied = co_await copy();
        if (!copied) co_return copied.error();
        if (*copied == reach::gap) continue;
        const auto reached = co_await follow();
        if (!reached) co_return reached.error();
        if (*reached == reach::end) co_return result<void>();
    }
}

/// One step of the pass per turn, so that a gap in the feed can begin it again.
task<result<void>> copier::pass() {
    switch (mark_.at) {
        case stage::documents:
            co_return co_await copy_documents();
        case stage::images:
            co_return co_await copy_images();
        case stage::surplus:
            co_return co_await remove_surplus();
        case stage::kept: {
            auto compared = co_await sync_kept(work_);
            if (!compared) co_return compared;
            auto entered = co_await enter(stage::following);
            if (!entered) co_return entered;
            is_verified_ = std::exchange(work_.reads_bodies, false);
            follows_versions_ = true;
            co_return entered;
        }
        case stage::following:
            break;
    }
    co_return result<void>();
}

task<result<void>> copier::copy_documents() {
    std::string cursor = cursor_;
    auto page = co_await work_.from.documents().scan("", std::move(cursor), work_.options.page);
    if (!page) co_return of_source(page.error());
    std::vector<document_name> names;
    for (auto& one : page->items)
        names.emplace_back(std::move(one.kind), std::move(one.id));
    std::set<document_name> none;  // an erasure is in the feed
    if (auto synced = co_await sync_documents(work_, std::move(names), std::move(none)); !synced)
        co_return synced;
    if (page->cursor.empty()) co_return co_await enter(stage::images);
    co_return co_await advance(std::move(page->cursor));
}

task<result<void>> copier::copy_images() {
    const std::optional<tenant_id> everybody;
    std::string cursor = cursor_;
    // A page that was interrupted is done again, and counted once.
    work_.done.images_done = images_passed_;
    work_.done.bytes_done = bytes_passed_;
    auto page = co_await work_.from.images().scan(everybody, std::move(cursor), work_.options.page);
    if (!page) co_return of_source(page.error());
    std::function<task<result<void>>(record_ptr)> copy_one = [this](record_ptr record) -> task<result<void>> {
        image_name name(record->tenant, record->key);
        constexpr bool is_erased = false;  // an erasure is in the feed
        auto synced = co_await images_.one(std::move(name), is_erased);
        if (!synced) co_return synced;
        ++work_.done.images_done;
        work_.done.bytes_done += bytes_of(*record);
        work_.report();
        co_return result<void>();
    };
    auto copied = co_await for_each_at_once(std::move(page->items), work_.options.at_once, copy_one);
    if (!copied) co_return copied;
    if (auto settled = co_await images_.settle(); !settled) co_return settled;
    images_passed_ = work_.done.images_done;
    bytes_passed_ = work_.done.bytes_done;
    if (page->cursor.empty()) co_return co_await enter(stage::surplus);
    co_return co_await advance(std::move(page->cursor));
}

task<result<void>> copier::remove_surplus() {
    std::string cursor;
    do {
        if (auto may = work_.may_go_on(); !may) co_return may;
        if (auto ours = co_await check_mark(); !ours) co_return ours;
        const std::optional<tenant_id> everybody;
        auto page = co_await work_.to.images().scan(everybody, std::move(cursor), work_.options.page);
        if (!page) co_return of_target(page.error());
        std::vector<image_name> erased;
        for (const auto& one : page->items) {
            const image_name name(one->tenant, one->key);
            const auto surplus = co_await is_surplus(name);
            if (!surplus) co_return surplus.error();
            if (*surplus) erased.push_back(name);
        }
        constexpr bool is_erased = true;
        if (auto synced = co_await sync_images(std::move(erased), is_erased); !synced) co_return synced;
        cursor = std::move(page->cursor);
    } while (!cursor.empty());
    if (auto removed = co_await remove_surplus_documents(); !removed) co_return removed;
    co_return co_await enter(stage::kept);
}

task<result<bool>> copier::is_surplus(image_name name) {
    const std::string item = item_of_image(name.first, name.second);
    std::string key = name.second;
    const auto found = co_await work_.from.images().find(name.first, std::move(key));
    if (found) co_return false;
    if (is_damage(found.error())) {
        work_.note_damage(item, "the " + item + ": " + found.error().message);
        co_return false;
    }
    if (found.error().code != errc::not_found) co_return of_source(found.error());
    const auto is_erased = co_await work_.absent.is_erased(std::move(name));
    if (!is_erased) co_return of_source(is_erased.error());
    if (!*is_erased) work_.note_only_in_target(item, "the " + item);
    co_return *is_erased;
}

task<result<void>> copier::remove_surplus_documents() {
    std::string cursor;
    do {
        if (auto may = work_.may_go_on(); !may) co_return may;
        auto page = co_await work_.to.documents().scan("", std::move(cursor), work_.options.page);
        if (!page) co_return of_target(page.error());
        std::vector<document_name> names;
        std::set<document_name> erased;
        for (const auto& one : page->items) {
            const document_name name(one.kind, one.id);
            const auto surplus = co_await is_surplus(name);
            if (!surplus) co_return surplus.error();
            if (!*surplus) continue;
            names.push_back(name);
            erased.insert(name);
        }
        if (auto synced = co_await sync_documents(work_, std::move(names), std::move(erased)); !synced)
            co_return synced;
        cursor = std::move(page->cursor);
    } while (!cursor.empty());
    co_return result<void>();
}

task<result<bool>> copier::is_surplus(document_name name) {
    if (!is_copied(name.first)) co_return false;
    std::string kind = name.first;
    std::string id = name.second;
    const auto found = co_await work_.from.documents().find(std::move(kind), std::move(id));
    if (found) co_return false;
    if (found.error().code != errc::not_found) co_return of_source(found.error());
    std::string item = item_of_document(name.first, name.second);
    const auto is_erased = co_await work_.absent.is_erased(std::move(name));
    if (!is_erased) co_return of_source(is_erased.error());
    if (!*is_erased) {
        const std::string what = "the " + item;
        work_.note_only_in_target(std::move(item), what);
    }
    co_return *is_erased;
}

task<result<void>> copier::sync_images(std::vector<image_name> names, bool is_erased) {
    std::function<task<result<void>>(image_name)> one = [this, is_erased](image_name name) {
        return images_.one(std::move(name), is_erased);
    };
    auto synced = co_await for_each_at_once(std::move(names), work_.options.at_once, one);
    if (!synced) co_return synced;
    co_return co_await images_.settle();
}

task<result<copier::reach>> copier::follow() {
    for (int i = 0; i < max_batches; ++i) {
        if (auto may = work_.may_go_on(); !may) co_return may.error();
        const auto batch = co_await work_.from.feed().changes(mark_.position, batch_size);
        if (!batch) co_return of_source(batch.error());
        bool is_lost = batch->gap;
        if (!is_lost && batch->changes.empty()) {
            const auto last = co_await work_.from.feed().last();
            if (!last) co_return of_source(last.error());
            if (*last >= mark_.position) co_return reach::end;
            is_lost = true;
        }
        if (is_lost) {
            if (auto started = co_await start_pass_at_end(); !started) co_return started.error();
            co_return reach::gap;
        }
        if (auto ours = co_await check_mark(); !ours) co_return ours.error();
        if (auto applied = co_await apply(*batch); !applied) co_return applied.error();
        work_.done.changes_applied += batch->changes.size();
        mark next = mark_;
        next.position = batch->next;
        if (auto stored = co_await store_mark(std::move(next)); !stored) co_return stored.error();
    }
    co_return reach::behind;
}

task<result<void>> copier::apply(const change_batch& batch) {
    const without_bodies plain(work_);
    // By the last change of each item. What is missing in the source although it was written last is not
    // removed: it was erased later, which a later batch contains, or it is out of service.
    std::map<image_name, bool> images;
    std::map<document_name, bool> documents;
    for (const auto& one : batch.changes) {
        switch (one.what) {
            case change::kind::image_saved:
            case change::kind::image_updated:
            case change::kind::image_erased:
                images[{one.tenant, one.key}] = one.what == change::kind::image_erased;
                break;
            case change::kind::document_saved:
            case change::kind::document_erased:
                documents[{one.document_kind, one.document_id}] = one.what == change::kind::document_erased;
                break;
            case change::kind::version_kept:
            case change::kind::version_dropped:
                break;
        }
    }
    // A mark that calls itself complete must not survive the first change after it.
    if (auto again = co_await follow_again(); !again) co_return again;
    if (auto synced = co_await apply_documents(documents); !synced) co_return synced;
    // Erased ones first: their ids and public keys may have moved to the others.
    for (const bool is_erased : {true, false}) {
        std::vector<image_name> keys;
        for (const auto& one : images) {
            if (one.second == is_erased) keys.push_back(one.first);
        }
        if (auto synced = co_await sync_images(std::move(keys), is_erased); !synced) co_return synced;
    }
    for (const auto& one : documents)
        work_.explain_difference(item_of_document(one.first.first, one.first.second));
    for (const auto& one : images)
        work_.explain_difference(item_of_image(one.first.first, one.first.second));
    // Before a pass has compared them, the changes are contained in what it will read.
    if (!follows_versions_) co_return result<void>();
    for (const auto& one : batch.changes) {
        change copy = one;
        if (auto applied = co_await apply_kept(work_, std::move(copy)); !applied) co_return applied;
    }
    co_return result<void>();
}

task<result<void>> copier::apply_documents(const std::map<document_name, bool>& changed) {
    std::vector<document_name> names;
    std::set<document_name> erased;
    bool has_started = false;  // another server, on a store that several share
    for (const auto& one : changed) {
        names.push_back(one.first);
        if (one.second) erased.insert(one.first);
        has_started = has_started || one.first.first == identity_kind;
    }
    if (has_started) {
        if (auto read = co_await read_starts(); !read) co_return read;
    }
    co_return co_await sync_documents(work_, std::move(names), std::move(erased));
}

task<result<void>> copier::follow_again() {
    if (!mark_.is_complete) co_return result<void>();
    mark next = mark_;
    next.is_complete = false;
    co_return co_await store_mark(std::move(next));
}

task<result<void>> copier::complete(bool accept_damage, std::optional<document_write> condition) {
    work_.look_at_source();
    if (work_.done.damaged > 0 && !accept_damage) {
        co_return error{errc::corrupt, std::to_string(work_.done.damaged) +
                                           " items cannot be read from the source and may be missing"};
    }
    if (mark_.at != stage::following)
        co_return error{errc::unavailable, "the copy is not finished; start it again to continue"};
    const auto later = co_await work_.from.feed().changes(mark_.position, 1);
    if (!later) co_return of_source(later.error());
    if (later->gap || !later->changes.empty()) {
        co_return error{
            errc::unavailable,
            "the source was written while it was copied. Stop all servers that use it, and run the "
            "command again"};
    }
    if (mark_.is_complete && !condition) co_return result<void>();
    mark next = mark_;
    next.is_complete = true;
    next.set_aside = entries_set_aside(work_.to).value_or(0);
    co_return co_await store_mark(std::move(next), std::move(condition));
}

}  // namespace gallery::mirror
