// SPDX-License-Identifier: Apache-2.0
#include "mirror/image_sync.hpp"

#include "mirror/sameness.hpp"

#include <utility>

namespace gallery::mirror {

namespace {

/// Enough for an image that is replaced while it is read; a change that comes later is in the feed.
constexpr int max_image_attempts = 8;

/// Null if there is no such image.
task<result<record_ptr>> find(image_store& images, image_name name) {
    auto found = co_await images.find(name.first, std::move(name.second));
    if (!found && found.error().code == errc::not_found) co_return record_ptr();
    co_return found;
}

std::string item_of(const image_name& name) {
    return item_of_image(name.first, name.second);
}

revision revision_of(const record_ptr& found) {
    return found ? found->rev : 0;
}

precondition still(const record_ptr& known) {
    return known ? precondition::match(known->rev) : precondition::absent();
}

}  // namespace

task<result<void>> image_sync::one(image_name name, bool is_erased) {
    revision seen = 0;
    for (int i = 1; i <= max_image_attempts; ++i) {
        if (auto may = all_.may_go_on(); !may) co_return may.error();
        const auto ended = co_await once(name, is_erased, i == max_image_attempts, seen);
        if (!ended) co_return ended.error();
        if (*ended == attempt::done) co_return result<void>();
    }
    const auto current = co_await find(all_.from.images(), name);
    if (!current) co_return of_source(current.error());
    if (revision_of(*current) != seen) co_return result<void>();  // the later change is in the feed
    co_return error{errc::version_conflict,
                    "another process writes the " + item_of(name) + " in the target. Stop it first"};
}

task<result<void>> image_sync::settle() {
    while (!displaced_.empty()) {
        auto name = displaced_.extract(displaced_.begin()).value();
        constexpr bool is_erased = false;  // it is not in the target
        auto ended = co_await one(std::move(name), is_erased);
        if (!ended) co_return ended;
    }
    co_return result<void>();
}

task<result<image_sync::attempt>> image_sync::once(image_name name, bool is_erased, bool is_last,
                                                   revision& seen) {
    const auto known = co_await find(all_.to.images(), name);
    if (!known) co_return of_target(known.error());
    const auto found = co_await find(all_.from.images(), name);
    if (!found) {
        if (!is_damage(found.error())) co_return of_source(found.error());
        std::string item = item_of(name);
        all_.note_damage(item, "the " + item + ": " + found.error().message);
        co_return attempt::done;
    }
    seen = revision_of(*found);
    if (!*found) {
        if (*known && !is_erased) co_return attempt::done;  // the feed or the end of the pass decides
        all_.clear_damage(item_of(name));
        if (!*known) co_return attempt::done;
        differs(name, "is only in the target");
        co_return co_await erase(std::move(name), *known);
    }
    if (*known && is_same_image(**found, **known)) {
        all_.clear_damage(item_of(name));
        if (all_.reads_bodies) co_return co_await compare_bodies(*found, *known, is_last);
        co_return attempt::done;
    }
    differs(name, *known ? "differs" : "is missing in the target");
    if (*known && has_same_bytes(**found, **known)) co_return co_await update(*found, *known);
    co_return co_await copy(*found, *known, is_last);
}

task<result<image_sync::attempt>> image_sync::erase(image_name name, record_ptr known) {
    const write_rules rules = precondition::match(known->rev);
    const auto erased = co_await all_.to.images().erase(name.first, std::move(name.second), rules);
    if (!erased) co_return of_target(erased.error());
    if (erased->status == write_status::conflict) co_return attempt::again;
    ++all_.done.images_erased;
    co_return attempt::done;
}

task<result<image_sync::attempt>> image_sync::update(record_ptr found, record_ptr known) {
    image_record wanted = *found;
    const auto updated = co_await all_.to.images().update(std::move(wanted), still(known));
    if (!updated) co_return of_target(updated.error());
    if (updated->status != write_status::committed) co_return attempt::again;
    ++all_.done.images_updated;
    co_return attempt::done;
}

void image_sync::differs(const image_name& name, const std::string& how) {
    std::string item = item_of(name);
    std::string text = "the " + item + " " + how;
    all_.note_difference(std::move(item), std::move(text));
}

task<result<image_sync::attempt>> image_sync::compare_bodies(record_ptr found, record_ptr known,
                                                             bool is_last) {
    const image_name name(found->tenant, found->key);
    if (auto may = co_await all_.wait_for_share(2 * bytes_of(*found)); !may) co_return may.error();
    {
        const auto in_source = co_await all_.bodies.load(all_.from.images(), found);
        if (!in_source && in_source.error().code == errc::stale && !is_last) co_return attempt::again;
        if (!in_source && in_source.error().code == errc::stale) co_return attempt::done;  // is in the feed
        if (!in_source && !is_damage(in_source.error())) co_return of_source(in_source.error());
        if (!in_source) {
            all_.note_damage(item_of(name), "the " + name_of(*found) + ": " + in_source.error().message);
            co_return attempt::done;
        }
    }
    const auto in_target = co_await all_.bodies.load(all_.to.images(), known);
    if (in_target) {
        all_.done.bodies_compared += found->preview_is_original ? 1 : 2;
        co_return attempt::done;
    }
    const auto& e = in_target.error();
    if (e.code == errc::stale && !is_last) co_return attempt::again;
    if (e.code != errc::stale && !is_damage(e)) co_return of_target(e);
    differs(name, "is damaged in the target: " + e.message);
    co_return co_await copy(found, known, is_last);
}

task<result<image_sync::attempt>> image_sync::copy(record_ptr found, record_ptr known, bool is_last) {
    if (auto may = co_await all_.wait_for_share(bytes_of(*found)); !may) co_return may.error();
    auto loaded = co_await all_.bodies.load(all_.from.images(), found);
    if (!loaded) {
        const auto& e = loaded.error();
        if (e.code == errc::stale && !is_last) co_return attempt::again;
        if (e.code == errc::stale) {
            // Written again and again: the feed has the later change. Otherwise the bytes are missing.
            image_name name(found->tenant, found->key);
            const auto current = co_await find(all_.from.images(), std::move(name));
            if (!current) co_return of_source(current.error());
            if (!*current || (*current)->content_rev != found->content_rev) co_return attempt::done;
        } else if (!is_damage(e)) {
            co_return of_source(e);
        }
        image_name name(found->tenant, found->key);
        all_.note_damage(item_of(name), "the " + name_of(*found) + ": " + e.message);
        co_return attempt::done;
    }
    image_record wanted = *found;
    body original(loaded->original);
    body preview(loaded->preview);
    const write_rules rules = still(known);
    auto& images = all_.to.images();
    const auto saved =
        co_await images.save(std::move(wanted), std::move(original), std::move(preview), rules);
    if (!saved) {
        if (saved.error().code != errc::invalid_argument) co_return of_target(saved.error());
        const auto holder = co_await images.find_by_id(found->id);
        if (!holder) {
            // Another call has erased it meanwhile, unless the save is refused for another reason.
            const bool is_gone = holder.error().code == errc::not_found;
            if (is_gone && !is_last) co_return attempt::again;
            co_return of_target(is_gone ? saved.error() : holder.error());
        }
        if (is_last) co_return of_target(saved.error());
        co_return co_await make_way(*holder, *found);
    }
    if (saved->status == write_status::public_key_taken) {
        std::string public_key = found->public_key;
        const auto holder = co_await images.find_by_public_key(std::move(public_key));
        if (!holder) {
            if (holder.error().code == errc::not_found) co_return attempt::again;
            co_return of_target(holder.error());
        }
        co_return co_await make_way(*holder, *found);
    }
    if (saved->status != write_status::committed) co_return attempt::again;
    const image_name name(found->tenant, found->key);
    all_.clear_damage(item_of(name));
    ++all_.done.images_copied;
    all_.done.bytes_copied += loaded->memory.size();
    co_return attempt::done;
}

task<result<bool>> image_sync::may_give_way(image_name name) {
    const auto found = co_await find(all_.from.images(), name);
    if (!found && !is_damage(found.error())) co_return of_source(found.error());
    if (!found) co_return false;
    if (*found) co_return true;
    const auto is_erased = co_await all_.absent.is_erased(std::move(name));
    if (!is_erased) co_return of_source(is_erased.error());
    co_return *is_erased;
}

task<result<image_sync::attempt>> image_sync::make_way(record_ptr holder, const image_record& wanted) {
    if (holder->tenant == wanted.tenant && holder->key == wanted.key) co_return attempt::again;
    image_name name(holder->tenant, holder->key);
    const auto may = co_await may_give_way(name);
    if (!may) co_return may.error();
    if (!*may) {
        const image_name refused(wanted.tenant, wanted.key);
        all_.note_damage(item_of(refused),
                         "the " + name_of(wanted) +
                             " is not copied, because its id or public key belongs to the " + item_of(name) +
                             " in the target, which the source cannot return");
        co_return attempt::done;
    }
    displaced_.insert(name);
    const auto erased = co_await erase(std::move(name), holder);
    if (!erased) co_return erased.error();
    co_return attempt::again;
}

}  // namespace gallery::mirror
