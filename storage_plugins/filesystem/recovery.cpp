// SPDX-License-Identifier: Apache-2.0
// The idea. Renames are the commits, so the tree alone shows which writes happened. The names of folders show
// how far an unfinished write got: .tmp- was never committed, .old- and .kept- contain a version that a save
// replaces, .erased- and .dropped- are committed removals. Recovery settles these names for each tenant
// first. Then it reads the records in parallel, the documents, and the journals (recovery_documents.cpp). At
// the end it sets aside all but the oldest of the images that share an id or a public key.
//
// The invariants.
//  - An acknowledged version is not removed before a newer one is in place and its folder is synchronised.
//  - Nothing that could be an image is deleted. An entry that cannot be understood is moved to set-aside.
//  - Damage is content that was read and is wrong, or is missing. Every other failure to read ends the
//    recovery and changes nothing, because the store would otherwise treat the unread part as deleted.
//  - Each step is one rename or one removal, so a recovery that was killed can be repeated.
//
// The cost. Each start lists every folder, reads every record.json and gets the size of every body, with 4 to
// 32 threads, because the latency of the disk is the limit. Bodies are not read. All records are in memory at
// the end.
#include "recovery.hpp"

#include <gallery/kit/rules.hpp>
#include "files.hpp"
#include "layout.hpp"
#include "names.hpp"
#include "record_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>

namespace gallery::file_store {
namespace {

using level = log_level;

constexpr std::size_t most_warnings = 100;

bool is_tenant(const std::string& name) {
    const auto id = parse_uuid(name);
    return id && to_string(*id) == name;
}

/// -1 where there is none.
std::int64_t size_of(int at, const std::string& path) {
    struct stat info {};
    if (::fstatat(at, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) return -1;
    return info.st_size;
}

}  // namespace

result<tree_content> recovery::read() {
    auto items = tenants_and_images();
    if (!items) return items.error();
    if (auto done = read_images(*items); !done) return done.error();
    if (auto done = read_documents(); !done) return done.error();
    if (auto done = read_journals(); !done) return done.error();
    if (auto done = drop_duplicates(); !done) return done.error();
    // Before other writes use the places that have become free.
    if (kept_aside_ != 0)
        for (const auto folder : {aside_folder, own_folder})
            if (auto synced = sync_folder(root_, std::string(folder)); !synced)
                return refusal(synced.error());
    const lock_guard lock(mutex_);
    for (const auto& image : content_.images)
        content_.newest = std::max(content_.newest, image.rev);
    for (const auto& version : content_.kept)
        content_.newest = std::max(content_.newest, version.kept_rev);
    for (const auto& doc : content_.documents)
        content_.newest = std::max(content_.newest, doc.rev);
    for (const auto& one : content_.groups)
        content_.newest = std::max(content_.newest, one->parts.back().doc.rev);
    for (const auto& erased : content_.erasures)
        content_.newest = std::max(content_.newest, erased.rev);
    if (cleaned_ != 0)
        log(level::info,
            "removed " + std::to_string(cleaned_) + " unfinished writes that remained after a crash");
    if (kept_aside_ != 0)
        log(level::warning, "set aside " + std::to_string(kept_aside_) +
                                " entries that could not be read or do not belong there; see " +
                                std::string(aside_folder));
    return std::move(content_);
}

result<std::vector<recovery::task_item>> recovery::tenants_and_images() {
    auto tenants = list_folder(root_, ".");
    if (!tenants) return refusal(tenants.error());
    std::vector<task_item> items;
    for (const auto& tenant : *tenants) {
        if (tenant.name == own_folder) continue;
        if (!tenant.is_folder || !is_tenant(tenant.name)) {
            if (tenant.name != "lost+found")
                warn("ignored: " + tenant.name + " is not the folder of a tenant");
            continue;
        }
        if (auto settled = settle_tenant(tenant.name, items); !settled) return settled.error();
    }
    return items;
}

/// Puts right what is left of writes in one tenant's folder, and collects its images.
result<> recovery::settle_tenant(const std::string& tenant, std::vector<task_item>& images) {
    auto entries = list_folder(root_, tenant);
    if (!entries) return refusal(entries.error());
    std::vector<std::string> replaced_names;
    for (const auto& entry : *entries)
        if (entry.name.starts_with(replaced_prefix)) replaced_names.push_back(entry.name);
    if (!replaced_names.empty()) {
        if (auto settled = settle_replaced(tenant, replaced_names); !settled) return settled;
        entries = list_folder(root_, tenant);
        if (!entries) return refusal(entries.error());
    }
    bool has_moved = false;
    for (const auto& entry : *entries) {
        const auto facts = parse_kept_name(entry.name);
        if (!facts) continue;
        const auto moved = settle_kept(tenant, entry.name, *facts);
        if (!moved) return moved.error();
        has_moved = has_moved || *moved;
    }
    if (has_moved) {
        entries = list_folder(root_, tenant);
        if (!entries) return refusal(entries.error());
    }
    for (const auto& entry : *entries) {
        const auto path = tenant + '/' + entry.name;
        if (entry.name.starts_with(temporary_prefix)) {
            clean(path);
        } else if (entry.name.starts_with(erased_prefix) || entry.name.starts_with(dropped_prefix)) {
            if (auto noted = note_erasure(tenant, entry.name); !noted) return noted;
        } else if (!entry.is_folder) {
            warn("ignored: " + path + " is not the folder of an image");
        } else {
            images.push_back({tenant, entry.name});
        }
    }
    if (entries->empty()) (void)remove_tree(root_, tenant);
    return {};
}

result<image_record> recovery::read_record(const std::string& folder) {
    const auto text = read_file(root_, folder + '/' + std::string(record_name));
    if (!text) return text.error();
    auto record = parse_record_text(*text);
    if (!record) return error{record.error().code, "its record.json is damaged: " + record.error().message};
    return record;
}

result<> recovery::note_erasure(const std::string& folder, const std::string& name) {
    const auto path = folder + '/' + name;
    const auto rev = erased_revision(name);
    const auto record = read_record(path);
    if (!record && !is_damage(record.error())) return refusal(record.error());
    const lock_guard lock(mutex_);
    content_.erased_paths.push_back(path);
    // Removal may have been interrupted; then the erasure is in the log already, which is written before.
    if (rev && record)
        content_.erasures.push_back(
            name.starts_with(dropped_prefix)
                ? kit::image_change(change::kind::version_dropped, *record, *rev, record->content_rev)
                : kit::image_change(change::kind::image_erased, *record, *rev));
    if (rev) content_.newest = std::max(content_.newest, *rev);
    return {};
}

result<> recovery::read_images(const std::vector<task_item>& items) {
    // Reading is bound by the disk's latency, not by cores.
    const auto count = std::clamp<std::size_t>(std::thread::hardware_concurrency() * 4, 4, 32);
    std::atomic<std::size_t> next = 0;
    result<> outcome;
    std::vector<std::jthread> threads;
    {
        const lock_guard lock(mutex_);
        content_.images.reserve(items.size());
    }
    for (std::size_t i = 0; i < std::min(count, items.size()); ++i)
        threads.emplace_back([&] {
            for (std::size_t at = next++; at < items.size(); at = next++) {
                auto done = read_image(items[at]);
                if (done) continue;
                next = items.size();  // the first failure ends it
                const lock_guard lock(mutex_);
                outcome = std::move(done);
            }
        });
    threads.clear();
    return outcome;
}

result<> recovery::read_image(const task_item& item) {
    if (const auto facts = parse_kept_name(item.name)) return read_kept(item, *facts);
    const auto folder = item.tenant + '/' + item.name;
    auto record = read_record(folder);
    if (!record) return set_aside_damaged(folder, record.error());
    if (to_string(record->tenant) != item.tenant || folder_name(record->key) != item.name)
        return set_aside(folder, "its record.json belongs to " + folder_of(record->tenant, record->key));
    look_at_files(folder, *record);
    const lock_guard lock(mutex_);
    content_.images.push_back(std::move(*record));
    return {};
}

result<> recovery::read_kept(const task_item& item, const kept_facts& facts) {
    const auto folder = item.tenant + '/' + item.name;
    auto record = read_record(folder);
    if (!record) return set_aside_damaged(folder, record.error());
    if (!facts.is_copy && record->rev == facts.kept_rev) {
        clean(folder);  // the new version of a save that did not get into its place
        return {};
    }
    const bool is_right = facts.is_copy ? record->rev == facts.kept_rev : record->rev < facts.kept_rev;
    if (to_string(record->tenant) != item.tenant || !is_right)
        return set_aside(folder, "its record.json does not match the name of the kept version");
    look_at_files(folder, *record);
    kept_version version{std::make_shared<const image_record>(std::move(*record)), facts.kept_rev,
                         facts.kept_time, facts.is_erased};
    const lock_guard lock(mutex_);
    content_.kept.push_back(std::move(version));
    return {};
}

void recovery::look_at_files(const std::string& folder, const image_record& record) {
    const auto entries = list_folder(root_, folder);
    if (!entries) return warn(entries.error().message);
    for (const auto& entry : *entries)
        if (entry.name.starts_with(temporary_prefix)) clean(folder + '/' + entry.name);
    const auto expect = [&](bool preview, const body_descriptor& described) {
        const auto path = folder + '/' + body_name(record, preview);
        const auto size = size_of(root_, path);
        if (size < 0)
            warn(path + " is missing. Restore it from a backup or upload the image again");
        else if (static_cast<std::uint64_t>(size) != described.size)
            warn(path + " has " + std::to_string(size) + " bytes instead of " +
                 std::to_string(described.size) + ". Restore it from a backup or upload the image again");
    };
    expect(false, record.original);
    if (!record.preview_is_original) expect(true, record.preview);
}

/// Two folders with one id or one public key: one is a copy. The older one is kept.
result<> recovery::drop_duplicates() {
    const lock_guard lock(mutex_);
    auto& images = content_.images;
    std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) {
        if (a.rev != b.rev) return a.rev < b.rev;
        return a.tenant != b.tenant ? a.tenant < b.tenant : a.key < b.key;
    });
    std::unordered_map<image_id, bool> ids;
    std::unordered_map<std::string, bool> public_keys;
    ids.reserve(images.size());
    public_keys.reserve(images.size());
    result<> outcome;
    std::unordered_set<revision> contents;
    std::erase_if(images, [&](const image_record& record) {
        const bool is_first = !ids.contains(record.id) && !public_keys.contains(record.public_key);
        if (is_first) {
            ids.emplace(record.id, true);
            if (!record.public_key.empty()) public_keys.emplace(record.public_key, true);
            contents.insert(record.content_rev);
            return false;
        }
        auto aside =
            set_aside(folder_of(record.tenant, record.key), "another image has its id or public key");
        if (!aside) outcome = std::move(aside);
        return true;
    });
    // A version is current or kept, and kept once.
    std::erase_if(content_.kept, [&](const kept_version& version) {
        if (contents.insert(version.record->content_rev).second) return false;
        auto aside = set_aside(folder_of(version), "another folder has the same version");
        if (!aside) outcome = std::move(aside);
        return true;
    });
    return outcome;
}

result<> recovery::set_aside(const std::string& path, const std::string& why) {
    auto flat = path;
    std::replace(flat.begin(), flat.end(), '/', '_');
    // As much as a name has room for, and no half of a character.
    auto length = std::min<std::size_t>(flat.size(), 200);
    while (length < flat.size() && (flat[length] & 0xC0) == 0x80)
        --length;
    const auto target = std::string(aside_folder) + '/' + flat.substr(0, length) + temporary_name();
    const auto move = [&]() -> result<> {
        if (auto made = make_folder(root_, std::string(aside_folder)); !made) return made.error();
        return rename_new(root_, path, target);
    };
    auto renamed = move();
    while (!renamed && renamed.error().code == errc::no_space && give_space_())
        renamed = move();
    if (!renamed)
        return refusal({renamed.error().code, path + " is damaged or misplaced (" + why +
                                                  ") and cannot be moved: " + renamed.error().message});
    ++kept_aside_;
    warn("moved " + path + " to " + target + ": " + why);
    return {};
}

result<> recovery::set_aside_damaged(const std::string& path, const error& why) {
    if (!is_damage(why)) return refusal(why);
    return set_aside(path, why.message);
}

bool recovery::is_damage(const error& why) {
    return why.code == errc::not_found || why.code == errc::corrupt;
}

error recovery::refusal(const error& why) {
    return {
        why.code,
        why.message +
            " Without it the store would treat it as deleted. Try again. If the error persists, check the "
            "disk, or move the named entry out of the store and restore it from a backup."};
}

void recovery::clean(const std::string& path) {
    if (auto removed = remove_tree(root_, path); !removed) return warn(removed.error().message);
    ++cleaned_;
}

void recovery::log(level which, const std::string& text) {
    const lock_guard lock(log_mutex_);
    log_(which, text);
}

void recovery::warn(const std::string& text) {
    const lock_guard lock(log_mutex_);
    ++warnings_;
    if (warnings_ <= most_warnings) log_(level::warning, text);
    if (warnings_ == most_warnings) log_(level::warning, "further warnings of this kind are not shown");
}

}  // namespace gallery::file_store
