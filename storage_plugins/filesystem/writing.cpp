// SPDX-License-Identifier: Apache-2.0
// Images: saving, updating, erasing.
#include <gallery/kit/rules.hpp>
#include "filesystem_store.hpp"
#include "layout.hpp"
#include "record_text.hpp"

#include <cerrno>
#include <utility>

namespace gallery::file_store {
namespace {

revision rev_of(const kit::stored& item) {
    return item ? item.record->rev : 0;
}

error full_disk() {
    return {errc::no_space,
            "The disk of STORAGE_PATH is full. Erase images, or free space and inodes on it."};
}

}  // namespace

task<result<write_outcome>> filesystem_store::save(image_record record, body original, body preview,
                                                   write_rules rules) {
    if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
    const auto tenant = record.tenant;
    const auto folder = folder_of(record.tenant, record.key);
    const auto lane = co_await lanes_.acquire(folder);
    const auto current = catalog_.find(record.tenant, record.key);
    if (!rules.condition.holds(rev_of(current)))
        co_return kit::refused(write_status::conflict, current.record);
    const auto [claimed, claim] = claims_.take(catalog_, record);
    if (claimed == claims::outcome::public_key_taken)
        co_return kit::refused(write_status::public_key_taken, current.record);
    if (claimed == claims::outcome::id_taken) {
        const auto owner = catalog_.find_by_id(record.id);
        co_return kit::id_taken(record, owner ? *owner.record : record);
    }
    const auto by = kit::usage_book::of_write(current.record.get(), &record, rules.previous);
    auto charge = usage_.take(tenant, by, rules.limit);
    if (!charge) co_return kit::refused(write_status::over_limit, current.record);

    const replacement previous{bool(current), rules.previous};
    auto stage = [this, record = std::move(record), original = std::move(original),
                  preview = std::move(preview), folder, previous]() mutable {
        return stage_save(std::move(record), original, preview, folder, previous);
    };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    const bool is_kept = ready->is_kept;
    const auto rule = is_kept ? rules.previous : previous_version::drop();
    // Another program removed the version that was to be kept.
    if (rules.previous.is_kept() && current && !is_kept)
        charge =
            usage_.take(tenant, kit::usage_book::of_write(current.record.get(), ready->record.get(), rule));
    const auto kept = is_kept ? current.record->content_rev : 0;
    committer::entry entry{
        {kit::image_change(change::kind::image_saved, *ready->record, ready->number.rev(), kept)},
        to_string(tenant),
        [this, saved = ready->record, rule, &charge] {
            catalog_.put({saved}, rule);
            charge->commit();
        }};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    if (ready->in_two_steps) {
        auto rename = [this, from = std::move(ready->remains)] { return rename_replaced(from); };
        ready->remains = co_await offload(pool_, std::move(rename));
    }
    remove_later(std::move(ready->remains));
    if (current && !is_kept) cache_.drop(current.record->content_rev);
    co_return write_outcome{write_status::committed, *committed, ready->record, kept};
}

result<std::string> filesystem_store::stage_folder(const image_record& record, const body& original,
                                                   const body& preview) {
    const auto tenant = to_string(record.tenant);
    if (stop_.is_set()) return error{errc::read_only, stop_.reason()};
    if (!reserve_->refill()) return full_disk();
    auto temporary = tenant + '/' + temporary_name();
    if (auto made = make_image_folder(tenant, temporary); !made) return made.error();
    if (auto written = write_folder(temporary, record, original, preview); !written) {
        (void)remove_tree(root_.get(), temporary);
        return written.error();
    }
    return temporary;
}

result<> filesystem_store::finish_folder(const std::string& folder, const image_record& record) {
    auto written = write_file(root_.get(), folder + '/' + std::string(record_name),
                              std::string_view(to_record_text(record)));
    if (written) written = sync_folder(root_.get(), folder);
    return written;
}

result<filesystem_store::staged> filesystem_store::stage_save(image_record record, const body& original,
                                                              const body& preview, const std::string& folder,
                                                              replacement previous) {
    const auto temporary = stage_folder(record, original, preview);
    if (!temporary) return temporary.error();
    const auto give_up = [&](error why) {
        (void)remove_tree(root_.get(), *temporary);
        return why;
    };
    // The revision is taken as late as possible, because all later ones wait for it.
    auto number = committer_->begin();
    if (!number) return give_up(number.error());
    record.rev = record.content_rev = number->rev();
    if (auto finished = finish_folder(*temporary, record); !finished) return give_up(finished.error());

    staged ready{std::move(*number), std::make_shared<const image_record>(std::move(record)), {}, {}};
    if (auto placed = stage_in_place(*temporary, folder, previous, ready); !placed)
        return give_up(placed.error());
    return ready;
}

/// Renames a new version into its place. Where this fails, what is at @p temporary is the caller's to remove.
result<> filesystem_store::stage_in_place(const std::string& temporary, const std::string& folder,
                                          replacement previous, staged& ready) {
    const int root = root_.get();
    const auto tenant = to_string(ready.record->tenant);
    const bool keeps = previous.is_there && previous.rule.is_kept();
    const auto kept = tenant + '/' + kept_name({ready.record->rev, previous.rule.time(), false, false});
    const auto sync_and_remove = [&](const std::string& failed) {
        ready.undo.then([root, tenant] { return sync_folder(root, tenant); });
        ready.undo.then([root, failed]() -> result<> {
            (void)remove_tree(root, failed);
            return {};
        });
    };
    if (previous.is_there && can_exchange_) {
        // A start removes a folder with the name of a kept version as long as the new one is in it.
        const auto other = keeps ? kept : temporary;
        if (keeps)
            if (auto renamed = rename_new(root, temporary, other); !renamed) return renamed;
        const auto exchanged = exchange(root, other, folder);
        if (exchanged && *exchanged) {
            if (!keeps) ready.remains = other;
            ready.is_kept = keeps;
            ready.undo.then([root, other, folder]() -> result<> {
                const auto back = exchange(root, other, folder);
                if (back && !*back) return failure("Exchanging " + other + " and " + folder, EINVAL);
                return back ? result<>() : back.error();
            });
            sync_and_remove(other);
            return {};
        }
        if (keeps)
            if (auto renamed = rename_new(root, other, temporary); !renamed) {
                (void)remove_tree(root, other);
                return renamed;
            }
        const bool is_gone = !exchanged && exchanged.error().code == errc::not_found;
        if (!exchanged && !is_gone) return exchanged.error();
        if (is_gone) {
            previous.is_there = false;  // somebody removed it
        } else {
            can_exchange_ = false;
            log_function_(
                log_level::info,
                "The file system cannot exchange two folders in one step, so they are replaced in two steps");
        }
    }
    // In this order a crash between the steps of the undo, too, leaves a folder that recovery puts back.
    undoing put_back;
    if (previous.is_there) {
        const auto aside = keeps ? kept : tenant + '/' + replaced_name();
        auto renamed = rename_new(root, folder, aside);
        if (!renamed && renamed.error().code != errc::not_found) return renamed;
        if (renamed) {
            put_back.then([root, aside, folder] { return rename_new(root, aside, folder); });
            ready.is_kept = keeps;
            ready.in_two_steps = !keeps;
            if (!keeps) ready.remains = aside;
        }
    }
    if (auto renamed = rename_new(root, temporary, folder); !renamed)
        return after_failure(renamed.error(), std::move(put_back));
    ready.undo.then([root, folder, temporary] { return rename_new(root, folder, temporary); });
    ready.undo.then(put_back);
    sync_and_remove(temporary);
    return {};
}

/// Under its name as replaced a start would put it back if the image is erased before it is removed. Whatever
/// makes the erasure durable does so with this rename. Returns what is to be removed.
std::string filesystem_store::rename_replaced(const std::string& path) {
    auto unfinished = path.substr(0, path.find('/') + 1) + temporary_name();
    return rename_new(root_.get(), path, unfinished) ? unfinished : path;
}

result<> filesystem_store::write_folder(const std::string& folder, const image_record& record,
                                        const body& original, const body& preview) {
    auto written = write_file(root_.get(), folder + '/' + body_name(record, false), original);
    if (written && !record.preview_is_original)
        written = write_file(root_.get(), folder + '/' + body_name(record, true), preview);
    return written;
}

task<result<write_outcome>> filesystem_store::update(image_record record, precondition condition) {
    const auto folder = folder_of(record.tenant, record.key);
    const auto lane = co_await lanes_.acquire(folder);
    const auto current = catalog_.find(record.tenant, record.key);
    if (!current) co_return write_outcome{write_status::absent, 0, nullptr};
    if (!condition.holds(rev_of(current))) co_return kit::refused(write_status::conflict, current.record);

    auto stage = [this, before = current.record, wanted = std::move(record), folder] {
        return stage_update(*before, wanted, folder);
    };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    committer::entry entry{
        {kit::image_change(change::kind::image_updated, *ready->record, ready->number.rev())},
        folder,
        [this, updated = ready->record] { catalog_.put({updated}); },
        change_log::room::small_write};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    remove_later(std::move(ready->remains));
    co_return write_outcome{write_status::committed, *committed, ready->record};
}

result<filesystem_store::staged> filesystem_store::stage_update(const image_record& current,
                                                                const image_record& wanted,
                                                                const std::string& folder) {
    auto number = committer_->begin();
    if (!number) return number.error();
    auto next = kit::updated(current, wanted, number->rev());
    staged ready{std::move(*number), nullptr, {}, {}};
    const auto text = to_record_text(next);
    auto written = stage_file(folder, std::string(record_name), text, reserve::part::quarter, ready);
    if (!written && written.error().code == errc::not_found)
        return error{errc::corrupt, "The folder " + folder + " of " +
                                        kit::describe(current.tenant, current.key) +
                                        " is missing. Restore it from a backup, or upload the image again."};
    if (!written) return written.error();
    ready.record = std::make_shared<const image_record>(std::move(next));
    return ready;
}

task<result<write_outcome>> filesystem_store::erase(tenant_id tenant, std::string key, write_rules rules) {
    const auto folder = folder_of(tenant, key);
    const auto lane = co_await lanes_.acquire(folder);
    const auto current = catalog_.find(tenant, key);
    if (!current) co_return kit::refused(write_status::absent, nullptr);
    if (!rules.condition.holds(rev_of(current)))
        co_return kit::refused(write_status::conflict, current.record);

    auto stage = [this, before = current.record, folder, rule = rules.previous] {
        return stage_erase(*before, folder, rule);
    };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    const bool is_kept = ready->is_kept;
    const auto rule = is_kept ? rules.previous : previous_version::drop();
    auto charge = usage_.take(tenant, kit::usage_book::of_write(current.record.get(), nullptr, rule));
    const auto kept = is_kept ? current.record->content_rev : 0;
    const auto rev = ready->number.rev();
    committer::entry entry{{kit::image_change(change::kind::image_erased, *current.record, rev, kept)},
                           to_string(tenant),
                           [this, tenant, key, rule, rev, &charge] {
                               catalog_.erase(tenant, key, rule, rev);
                               charge->commit();
                           },
                           is_kept ? change_log::room::image : change_log::room::erasure};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    remove_later(std::move(ready->remains));
    if (!is_kept) cache_.drop(current.record->content_rev);
    co_return write_outcome{write_status::committed, *committed, nullptr, kept};
}

result<filesystem_store::staged> filesystem_store::stage_erase(const image_record& current,
                                                               const std::string& folder,
                                                               const previous_version& rule) {
    if (rule.is_kept() && !stop_.is_set() && !reserve_->refill()) return full_disk();
    auto number = committer_->begin();
    if (!number) return number.error();
    const auto tenant = to_string(current.tenant);
    const auto rev = number->rev();
    const auto name =
        rule.is_kept() ? kept_name({rev, rule.time(), true, false}) : erased_name(rev, to_string(current.id));
    staged ready{std::move(*number), nullptr, {}, {}};
    if (auto renamed = stage_removal(tenant, folder, tenant + '/' + name, ready); !renamed)
        return renamed.error();
    if (rule.is_kept() && !ready.remains.empty()) {
        ready.remains.clear();
        ready.is_kept = true;
    }
    return ready;
}

result<> filesystem_store::ensure_folder(const std::string& folder) {
    const lock_guard lock(folders_mutex_);
    if (durable_folders_.contains(folder)) return {};
    auto made = with_reserve([&] { return make_folder(root_.get(), folder); });
    if (!made) return made.error();
    const auto slash = folder.rfind('/');
    if (auto synced = sync_folder(root_.get(), slash == std::string::npos ? "." : folder.substr(0, slash));
        !synced)
        return synced;
    durable_folders_.insert(folder);
    return {};
}

result<> filesystem_store::ensure_folder_again(const std::string& folder) {
    {
        const lock_guard lock(folders_mutex_);
        durable_folders_.erase(folder);
    }
    return ensure_folder(folder);
}

result<> filesystem_store::make_image_folder(const std::string& tenant, const std::string& path) {
    if (auto ensured = ensure_folder(tenant); !ensured) return ensured;
    auto made = make_folder(root_.get(), path);
    if (!made && made.error().code == errc::not_found) {
        if (auto ensured = ensure_folder_again(tenant); !ensured) return ensured;
        made = make_folder(root_.get(), path);
    }
    if (!made) return made.error();
    return {};
}

/// What is freed goes to the reserve first.
void filesystem_store::remove_later(std::string path) {
    if (path.empty()) return;
    asio::post(pool_, [this, path = std::move(path)] {
        if (auto removed = remove_tree(root_.get(), path); !removed)
            log_function_(log_level::warning, removed.error().message);
        (void)reserve_->refill();
    });
}

}  // namespace gallery::file_store
