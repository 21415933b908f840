// SPDX-License-Identifier: Apache-2.0
#include "mirror/kept_sync.hpp"

#include "mirror/sameness.hpp"

#include <algorithm>
#include <set>

namespace gallery::mirror {

namespace {

auto find_same(const std::vector<kept_version>& all, const kept_version& version) {
    return std::find_if(all.begin(), all.end(),
                        [&version](const kept_version& other) { return is_same_version(version, other); });
}

void note_damage(work& all, const kept_version& version, const error& e) {
    all.note_damage(item_of_version(version),
                    "a kept version of the " + name_of(*version.record) + ": " + e.message);
}

/// Whether the source returns the bytes. Damage is noted.
task<result<bool>> can_be_copied(work& all, kept_version version) {
    const auto loaded = co_await all.bodies.load(all.from.images(), version.record);
    if (loaded) co_return true;
    const auto& e = loaded.error();
    if (e.code == errc::stale) co_return true;  // dropped meanwhile: nothing is missing
    if (!is_damage(e)) co_return of_source(e);
    note_damage(all, version, e);
    co_return false;
}

void differs(work& all, const kept_version& version, const std::string& how) {
    all.note_difference(item_of_version(version),
                        "a kept version of the " + name_of(*version.record) + " " + how);
}

task<result<void>> append(work& all, kept_version version) {
    if (auto may = all.may_go_on(); !may) co_return may.error();
    const record_ptr record = version.record;
    if (auto may = co_await all.wait_for_share(bytes_of(*record)); !may) co_return may.error();
    auto loaded = co_await all.bodies.load(all.from.images(), record);
    if (!loaded) {
        const auto& e = loaded.error();
        if (e.code == errc::stale) co_return result<void>();  // dropped meanwhile, which is in the feed
        if (!is_damage(e)) co_return of_source(e);
        note_damage(all, version, e);
        co_return result<void>();
    }
    image_record copy = *record;
    body original(loaded->original);
    body preview(loaded->preview);
    const auto saved = co_await all.to.images().save_kept(
        std::move(copy), std::move(original), std::move(preview), version.kept_time, version.is_erased);
    if (!saved) co_return of_target(saved.error());
    all.clear_damage(item_of_version(version));
    differs(all, version, "was missing in the target");
    ++all.done.versions_copied;
    all.done.bytes_copied += loaded->memory.size();
    co_return result<void>();
}

task<result<void>> drop(work& all, kept_version version) {
    const auto dropped = co_await all.to.images().drop_kept(version.record->id, version.record->content_rev);
    if (!dropped) co_return of_target(dropped.error());
    differs(all, version, "differed in the target");
    ++all.done.versions_dropped;
    co_return result<void>();
}

/// Of two versions whose records are the same. A version of the target that is damaged is dropped; the pass
/// after this one stores it again, because all that follow have to be stored again behind it.
task<result<void>> compare_bodies(work& all, kept_version in_source, kept_version in_target) {
    if (auto may = co_await all.wait_for_share(2 * bytes_of(*in_source.record)); !may) co_return may.error();
    const auto can = co_await can_be_copied(all, std::move(in_source));
    if (!can) co_return can.error();
    if (!*can) co_return result<void>();
    const record_ptr record = in_target.record;
    const auto loaded = co_await all.bodies.load(all.to.images(), record);
    if (loaded) {
        all.done.bodies_compared += record->preview_is_original ? 1 : 2;
        co_return result<void>();
    }
    if (!is_damage(loaded.error())) co_return of_target(loaded.error());
    co_return co_await drop(all, std::move(in_target));
}

/// What becomes of a version of the target that is not the next one of the source.
enum class verdict : std::uint8_t {
    drop,         ///< the source has dropped it, or it is stored again later, behind @p wanted
    keep,         ///< the source cannot return it any more, or may have it out of service
    skip_source,  ///< it comes later in the source, which cannot return the versions before it
};

/// Of a version that the source does not have. Damage is noted if it has to be kept. The feed is of no help,
/// because it names a version by its revision in the source.
task<result<bool>> is_dropped(work& all, kept_version there) {
    const auto dropped = co_await all.absent.are_all_erased();
    if (!dropped) co_return of_source(dropped.error());
    if (!*dropped) {
        all.note_only_in_target(item_of_version(there), "a kept version of the " + name_of(*there.record));
    }
    co_return *dropped;
}

task<result<verdict>> judge(work& all, kept_version there, std::optional<kept_version> wanted) {
    const auto versions = co_await versions_of(all.from.images(), there.record->id, all.options.page);
    if (!versions) co_return of_source(versions.error());
    const auto same = find_same(*versions, there);
    if (same == versions->end()) {
        const auto dropped = co_await is_dropped(all, std::move(there));
        if (!dropped) co_return dropped.error();
        co_return *dropped ? verdict::drop : verdict::keep;
    }
    if (wanted) {
        auto can = co_await can_be_copied(all, std::move(*wanted));
        if (!can) co_return can.error();
        if (!*can) co_return verdict::skip_source;
    }
    kept_version in_source = *same;
    const auto can = co_await can_be_copied(all, std::move(in_source));
    if (!can) co_return can.error();
    co_return *can ? verdict::drop : verdict::keep;
}

/// Drops versions of the image that only the target has.
task<result<void>> drop_others(work& all, image_id id) {
    const auto there = co_await versions_of(all.to.images(), id, all.options.page);
    if (!there) co_return of_target(there.error());
    auto wanted = co_await versions_of(all.from.images(), id, all.options.page);
    if (!wanted) co_return of_source(wanted.error());
    std::set<std::string> left;
    for (const auto& version : *wanted)
        left.insert(item_of_version(version));
    all.clear_damage_below(item_of_versions(id), left);
    all.explain_differences_below(item_of_versions(id), left);
    for (const auto& version : *there) {
        const auto same = find_same(*wanted, version);
        if (same != wanted->end()) {
            wanted->erase(same);
            continue;
        }
        kept_version surplus = version;
        const auto is_gone = co_await is_dropped(all, std::move(surplus));
        if (!is_gone) co_return is_gone.error();
        if (!*is_gone) continue;
        auto dropped = co_await drop(all, version);
        if (!dropped) co_return dropped;
    }
    co_return result<void>();
}

task<result<void>> append_one(work& all, change one) {
    auto found = co_await version_kept_by(all, std::move(one));
    if (!found) co_return found.error();
    if (!*found) co_return result<void>();
    kept_version& version = **found;
    all.explain_difference(item_of_version(version));
    const auto there = co_await versions_of(all.to.images(), version.record->id, all.options.page);
    if (!there) co_return of_target(there.error());
    if (find_same(*there, version) != there->end()) {
        all.clear_damage(item_of_version(version));
        co_return result<void>();
    }
    co_return co_await append(all, std::move(version));
}

}  // namespace

task<result<std::vector<kept_version>>> versions_of(image_store& store, image_id id, std::size_t page) {
    std::vector<kept_version> out;
    std::string cursor;
    do {
        auto read = co_await store.kept_of(id, std::move(cursor), page);
        if (!read) co_return read.error();
        for (auto& one : read->items)
            out.push_back(std::move(one));
        cursor = std::move(read->cursor);
    } while (!cursor.empty());
    co_return out;
}

task<result<std::optional<kept_version>>> version_kept_by(work& all, change one) {
    auto& images = all.from.images();
    auto found = co_await images.find_kept(one.id, one.kept);
    if (found) co_return std::optional<kept_version>(std::move(*found));
    if (found.error().code != errc::not_found) co_return of_source(found.error());
    // A save under the same key may have another id than the version that it has replaced. The change was
    // made a moment ago, so the version is among the newest ones.
    std::string cursor;
    do {
        const std::optional<tenant_id> owner = one.tenant;
        auto page =
            co_await images.kept(owner, kept_order::newest_first, std::move(cursor), all.options.page);
        if (!page) co_return of_source(page.error());
        for (auto& each : page->items) {
            if (each.kept_rev == one.rev) co_return std::optional<kept_version>(std::move(each));
            if (each.kept_rev < one.rev) co_return std::optional<kept_version>();
        }
        cursor = std::move(page->cursor);
    } while (!cursor.empty());
    co_return std::optional<kept_version>();
}

task<result<std::optional<kept_version>>> kept_reader::current() {
    while (at_ >= page_.items.size()) {
        if (is_begun_ && page_.cursor.empty()) co_return std::optional<kept_version>();
        is_begun_ = true;
        const std::optional<tenant_id> everybody;
        std::string cursor = std::move(page_.cursor);
        auto read = co_await store_.kept(everybody, kept_order::oldest_first, std::move(cursor), page_size_);
        if (!read) co_return read.error();
        page_ = std::move(*read);
        at_ = 0;
    }
    co_return std::optional<kept_version>(page_.items[at_]);
}

task<result<void>> sync_kept(work& all) {
    kept_reader source(all.from.images(), all.options.page);
    kept_reader target(all.to.images(), all.options.page);
    for (;;) {
        if (auto may = all.may_go_on(); !may) co_return may.error();
        const auto there = co_await target.current();
        if (!there) co_return of_target(there.error());
        if (!*there) break;
        const auto wanted = co_await source.current();
        if (!wanted) co_return of_source(wanted.error());
        if (*wanted && is_same_version(**wanted, **there)) {
            all.clear_damage(item_of_version(**wanted));
            target.skip();
            source.skip();
            if (!all.reads_bodies) continue;
            kept_version in_source = **wanted;
            kept_version in_target = **there;
            auto compared = co_await compare_bodies(all, std::move(in_source), std::move(in_target));
            if (!compared) co_return compared;
            continue;
        }
        kept_version surplus = **there;
        std::optional<kept_version> next = *wanted;
        const auto judged = co_await judge(all, surplus, std::move(next));
        if (!judged) co_return judged.error();
        if (*judged == verdict::skip_source) {
            source.skip();
            continue;
        }
        target.skip();
        if (*judged == verdict::keep) continue;
        auto dropped = co_await drop(all, std::move(surplus));
        if (!dropped) co_return dropped;
    }
    for (;;) {
        const auto wanted = co_await source.current();
        if (!wanted) co_return of_source(wanted.error());
        if (!*wanted) break;
        source.skip();
        kept_version next = **wanted;
        auto appended = co_await append(all, std::move(next));
        if (!appended) co_return appended;
        all.report();
    }
    co_return result<void>();
}

task<result<void>> apply_kept(work& all, change one) {
    switch (one.what) {
        case change::kind::image_saved:
        case change::kind::image_erased:
        case change::kind::version_kept:
            if (one.kept == 0) co_return result<void>();
            co_return co_await append_one(all, std::move(one));
        case change::kind::version_dropped:
            co_return co_await drop_others(all, one.id);
        case change::kind::image_updated:
        case change::kind::document_saved:
        case change::kind::document_erased:
            break;
    }
    co_return result<void>();
}

}  // namespace gallery::mirror
