// SPDX-License-Identifier: Apache-2.0
// Kept versions: listing, storing and dropping them. Keeping one is a part of saving and erasing.
#include "filesystem_store.hpp"
#include "layout.hpp"
#include "record_text.hpp"

#include <gallery/kit/rules.hpp>

#include <utility>

namespace gallery::file_store {
namespace {

/// What an I/O thread does itself; more goes to the pool.
constexpr std::size_t versions_at_once = 5'000;

}  // namespace

task<result<scan_page<kept_version>>> filesystem_store::kept(std::optional<tenant_id> tenant,
                                                             kept_order order, std::string cursor,
                                                             std::size_t limit) {
    if (limit <= versions_at_once) co_return catalog_.kept(tenant, order, cursor, limit);
    auto work = [this, tenant, order, cursor = std::move(cursor), limit] {
        return catalog_.kept(tenant, order, cursor, limit);
    };
    co_return co_await offload(pool_, std::move(work));
}

task<result<scan_page<kept_version>>> filesystem_store::kept_of(image_id id, std::string cursor,
                                                                std::size_t limit) {
    if (limit <= versions_at_once) co_return catalog_.kept_of(id, cursor, limit);
    auto work = [this, id, cursor = std::move(cursor), limit] { return catalog_.kept_of(id, cursor, limit); };
    co_return co_await offload(pool_, std::move(work));
}

task<result<kept_version>> filesystem_store::find_kept(image_id id, revision content_rev) {
    auto found = catalog_.find_kept(id, content_rev);
    if (!found) co_return kit::no_such_version(id, content_rev);
    co_return std::move(found.version);
}

task<result<write_outcome>> filesystem_store::save_kept(image_record record, body original, body preview,
                                                        std::int64_t kept_time, bool is_erased) {
    if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
    const auto tenant = record.tenant;
    auto charge = usage_.take(tenant, kit::usage_book::of_keeping(record));
    kept_version version;
    version.kept_time = kept_time;
    version.is_erased = is_erased;
    auto stage = [this, record = std::move(record), original = std::move(original),
                  preview = std::move(preview), version]() mutable {
        return stage_kept(std::move(record), original, preview, std::move(version));
    };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    version.record = ready->record;
    version.kept_rev = ready->number.rev();
    committer::entry entry{{kit::image_change(change::kind::version_kept, *ready->record, ready->number.rev(),
                                              ready->number.rev())},
                           to_string(tenant),
                           [this, version, &charge] {
                               catalog_.put_kept({version});
                               charge->commit();
                           }};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    co_return write_outcome{write_status::committed, *committed, ready->record, *committed};
}

result<filesystem_store::staged> filesystem_store::stage_kept(image_record record, const body& original,
                                                              const body& preview, kept_version version) {
    const int root = root_.get();
    const auto temporary = stage_folder(record, original, preview);
    if (!temporary) return temporary.error();
    const auto give_up = [&](error why) {
        (void)remove_tree(root, *temporary);
        return why;
    };
    auto number = committer_->begin();
    if (!number) return give_up(number.error());
    record.rev = record.content_rev = version.kept_rev = number->rev();
    if (auto finished = finish_folder(*temporary, record); !finished) return give_up(finished.error());
    const auto tenant = to_string(record.tenant);
    staged ready{std::move(*number), std::make_shared<const image_record>(std::move(record)), {}, {}};
    version.record = ready.record;
    const auto folder = folder_of(version);
    if (auto renamed = rename_new(root, *temporary, folder); !renamed) return give_up(renamed.error());
    ready.undo.then([root, folder, back = *temporary] { return rename_new(root, folder, back); });
    ready.undo.then([root, tenant] { return sync_folder(root, tenant); });
    ready.undo.then([root, failed = *temporary]() -> result<> {
        (void)remove_tree(root, failed);
        return {};
    });
    return ready;
}

task<result<write_outcome>> filesystem_store::drop_kept(image_id id, revision content_rev) {
    const auto seen = catalog_.find_kept(id, content_rev);
    if (!seen) co_return kit::refused(write_status::absent, nullptr);
    // The lane of the image's key: a save or an erasure of it keeps versions, and readers wait there.
    const auto& of = *seen.version.record;
    const auto lane = co_await lanes_.acquire(folder_of(of.tenant, of.key));
    const auto current = catalog_.find_kept(id, content_rev);
    if (!current) co_return kit::refused(write_status::absent, nullptr);
    const auto& record = *current.version.record;
    auto stage = [this, version = current.version] { return stage_drop(version); };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    auto charge = usage_.take(record.tenant, kit::usage_book::of_dropping(record));
    committer::entry entry{
        {kit::image_change(change::kind::version_dropped, record, ready->number.rev(), content_rev)},
        to_string(record.tenant),
        [this, id, content_rev, &charge] {
            catalog_.drop_kept(id, content_rev);
            charge->commit();
        },
        change_log::room::erasure};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    remove_later(std::move(ready->remains));
    cache_.drop(content_rev);
    co_return write_outcome{write_status::committed, *committed, nullptr, 0};
}

result<filesystem_store::staged> filesystem_store::stage_drop(const kept_version& version) {
    auto number = committer_->begin();
    if (!number) return number.error();
    const auto tenant = to_string(version.record->tenant);
    const auto remains = tenant + '/' + dropped_name(number->rev(), to_string(version.record->id));
    staged ready{std::move(*number), nullptr, {}, {}};
    if (auto renamed = stage_removal(tenant, folder_of(version), remains, ready); !renamed)
        return renamed.error();
    return ready;
}

}  // namespace gallery::file_store
