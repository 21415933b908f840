// Images: saving, updating, erasing.
#include "filesystem_store.hpp"
#include "index/rules.hpp"
#include "layout.hpp"
#include "record_text.hpp"

#include <cerrno>
#include <utility>

namespace gallery::file_store {
namespace {

revision rev_of(const store_index::stored& item) {
    return item ? item.record->rev : 0;
}

write_outcome conflict(const store_index::stored& current) {
    return {write_status::conflict, rev_of(current), current.record};
}

}  // namespace

task<result<write_outcome>> filesystem_store::save(image_record record, body original, body preview,
                                                   precondition condition) {
    if (auto wrong = store_index::refuse_save(record, original, preview)) co_return std::move(*wrong);
    const auto tenant = to_string(record.tenant);
    const auto folder = folder_of(record.tenant, record.key);
    const auto lane = co_await lanes_.acquire(folder);
    const auto current = catalog_.find(record.tenant, record.key);
    if (!condition.holds(rev_of(current))) co_return conflict(current);
    const auto [claimed, claim] = claims_.take(catalog_, record);
    if (claimed == claims::outcome::public_key_taken)
        co_return write_outcome{write_status::public_key_taken, rev_of(current), nullptr};
    if (claimed == claims::outcome::id_taken) {
        const auto owner = catalog_.find_by_id(record.id);
        co_return store_index::id_taken(record, owner ? *owner.record : record);
    }

    auto stage = [this, record = std::move(record), original = std::move(original),
                  preview = std::move(preview), folder, replaces = bool(current)]() mutable {
        return stage_save(std::move(record), original, preview, folder, replaces);
    };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    committer::entry entry{
        store_index::image_change(change::kind::image_saved, *ready->record, ready->number.rev()), tenant,
        [this, saved = ready->record] {
            catalog_.put({saved, nullptr});
        }};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    if (ready->in_two_steps) {
        auto rename = [this, from = std::move(ready->remains)] { return rename_replaced(from); };
        ready->remains = co_await offload(pool_, std::move(rename));
    }
    remove_later(std::move(ready->remains));
    if (current) cache_.drop(current.record->content_rev);
    co_return write_outcome{write_status::committed, *committed, ready->record};
}

result<filesystem_store::staged> filesystem_store::stage_save(image_record record, const body& original,
                                                              const body& preview, const std::string& folder,
                                                              bool replaces) {
    const int root = root_.get();
    const auto tenant = to_string(record.tenant);
    if (stop_.is_set()) return error{errc::read_only, stop_.reason()};
    if (!reserve_->refill())
        return error{errc::no_space,
                     "The disk of STORAGE_PATH is full. Erase images, or free space and inodes on it."};
    const auto temporary = tenant + '/' + temporary_name();
    const auto give_up = [&](error why) {
        (void)remove_tree(root, temporary);
        return why;
    };
    if (auto made = make_image_folder(tenant, temporary); !made) return made.error();
    if (auto written = write_folder(temporary, record, original, preview); !written)
        return give_up(written.error());

    // The revision as late as can be: whoever has one keeps all later ones waiting.
    auto number = committer_->begin();
    if (!number) return give_up(number.error());
    record.rev = record.content_rev = number->rev();
    auto written = write_file(root, temporary + '/' + std::string(record_name),
                              std::string_view(to_record_text(record)));
    if (written) written = sync_folder(root, temporary);
    if (!written) return give_up(written.error());

    staged ready{std::move(*number), std::make_shared<const image_record>(std::move(record)), {}, {}};
    const auto sync_and_remove = [&](const std::string& failed) {
        ready.undo.then([root, tenant] { return sync_folder(root, tenant); });
        ready.undo.then([root, failed]() -> result<> {
            (void)remove_tree(root, failed);
            return {};
        });
    };
    if (replaces && can_exchange_) {
        auto exchanged = exchange(root, temporary, folder);
        const bool is_gone = !exchanged && exchanged.error().code == errc::not_found;
        if (!exchanged && !is_gone) return give_up(exchanged.error());
        if (exchanged && *exchanged) {
            ready.remains = temporary;
            ready.undo.then([root, temporary, folder]() -> result<> {
                const auto back = exchange(root, temporary, folder);
                if (back && !*back) return failure("Exchanging " + temporary + " and " + folder, EINVAL);
                return back ? result<>() : back.error();
            });
            sync_and_remove(temporary);
            return ready;
        }
        if (is_gone) {
            replaces = false;  // somebody removed it
        } else {
            can_exchange_ = false;
            log_function_(plugin_context::log_level::info,
                          "The file system cannot exchange two folders in one step; replacing takes two");
        }
    }
    // In this order a crash between the steps of the undo, too, leaves a folder that recovery puts back.
    undoing put_back;
    if (replaces) {
        const auto previous = tenant + '/' + replaced_name();
        auto renamed = rename_new(root, folder, previous);
        if (!renamed && renamed.error().code != errc::not_found) return give_up(renamed.error());
        if (renamed) {
            put_back.then([root, previous, folder] { return rename_new(root, previous, folder); });
            ready.remains = previous;
            ready.in_two_steps = true;
        }
    }
    if (auto renamed = rename_new(root, temporary, folder); !renamed)
        return give_up(after_failure(renamed.error(), std::move(put_back)));
    ready.undo.then([root, folder, temporary] { return rename_new(root, folder, temporary); });
    ready.undo.then(put_back);
    sync_and_remove(temporary);
    return ready;
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
    if (!condition.holds(rev_of(current))) co_return conflict(current);

    auto stage = [this, before = current.record, wanted = std::move(record), folder] {
        return stage_update(*before, wanted, folder);
    };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    committer::entry entry{
        store_index::image_change(change::kind::image_updated, *ready->record, ready->number.rev()), folder,
        [this, updated = ready->record] {
            catalog_.put({updated, nullptr});
        },
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
    auto next = store_index::updated(current, wanted, number->rev());
    staged ready{std::move(*number), nullptr, {}, {}};
    const auto text = to_record_text(next);
    auto written = stage_file(folder, std::string(record_name), text, reserve::part::quarter, ready);
    if (!written && written.error().code == errc::not_found)
        return error{errc::corrupt, "The folder " + folder + " of " +
                                        store_index::describe(current.tenant, current.key) +
                                        " is missing. Restore it from a backup, or upload the image again."};
    if (!written) return written.error();
    ready.record = std::make_shared<const image_record>(std::move(next));
    return ready;
}

task<result<write_outcome>> filesystem_store::erase(tenant_id tenant, std::string key,
                                                    precondition condition) {
    const auto folder = folder_of(tenant, key);
    const auto lane = co_await lanes_.acquire(folder);
    const auto current = catalog_.find(tenant, key);
    if (!current) co_return write_outcome{write_status::absent, 0, nullptr};
    if (!condition.holds(rev_of(current))) co_return conflict(current);

    auto stage = [this, before = current.record, folder] { return stage_erase(*before, folder); };
    auto ready = co_await offload(pool_, std::move(stage));
    if (!ready) co_return answer_of(ready.error());
    committer::entry entry{
        store_index::image_change(change::kind::image_erased, *current.record, ready->number.rev()),
        to_string(tenant), [this, tenant, key] { catalog_.erase(tenant, key); }, change_log::room::erasure};
    auto committed = co_await committer_->commit(std::move(ready->number), std::move(entry));
    if (!committed) co_return co_await take_back(committed.error(), std::move(ready->undo));
    remove_later(std::move(ready->remains));
    cache_.drop(current.record->content_rev);
    co_return write_outcome{write_status::committed, *committed, nullptr};
}

result<filesystem_store::staged> filesystem_store::stage_erase(const image_record& current,
                                                               const std::string& folder) {
    auto number = committer_->begin();
    if (!number) return number.error();
    const auto tenant = to_string(current.tenant);
    const auto remains = tenant + '/' + erased_name(number->rev(), to_string(current.id));
    staged ready{std::move(*number), nullptr, {}, {}};
    if (auto renamed = stage_removal(tenant, folder, remains, ready); !renamed) return renamed.error();
    return ready;
}

result<> filesystem_store::ensure_tenant(const std::string& tenant) {
    const std::lock_guard lock(tenants_mutex_);
    if (tenants_.contains(tenant)) return {};
    auto made = with_reserve([&] { return make_folder(root_.get(), tenant); });
    if (!made) return made.error();
    const auto slash = tenant.rfind('/');
    if (auto synced = sync_folder(root_.get(), slash == std::string::npos ? "." : tenant.substr(0, slash));
        !synced)
        return synced;
    tenants_.insert(tenant);
    return {};
}

result<> filesystem_store::ensure_tenant_again(const std::string& tenant) {
    {
        const std::lock_guard lock(tenants_mutex_);
        tenants_.erase(tenant);
    }
    return ensure_tenant(tenant);
}

result<> filesystem_store::make_image_folder(const std::string& tenant, const std::string& path) {
    if (auto ensured = ensure_tenant(tenant); !ensured) return ensured;
    auto made = make_folder(root_.get(), path);
    if (!made && made.error().code == errc::not_found) {
        if (auto ensured = ensure_tenant_again(tenant); !ensured) return ensured;
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
            log_function_(plugin_context::log_level::warning, removed.error().message);
        (void)reserve_->refill();
    });
}

}  // namespace gallery::file_store
