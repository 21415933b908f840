// SPDX-License-Identifier: Apache-2.0
// Recovery of replacements that were interrupted: which version of an image goes into its place.
#include <gallery/kit/rules.hpp>
#include "files.hpp"
#include "layout.hpp"
#include "names.hpp"
#include "recovery.hpp"

#include <algorithm>
#include <map>

namespace gallery::file_store {

/// Several remains may belong to one folder: those of acknowledged replacements wait for their removal while
/// the next one is under way. Only the newest of all, this folder included, is the image.
result<> recovery::settle_replaced(const std::string& tenant, const std::vector<std::string>& names) {
    std::map<std::string, std::vector<replaced>> by_place;
    for (const auto& name : names) {
        const auto path = tenant + '/' + name;
        const auto record = read_record(path);
        if (!record) {
            if (auto aside = set_aside_damaged(path, record.error()); !aside) return aside;
        } else if (to_string(record->tenant) != tenant) {
            const auto why = "its record.json belongs to " + folder_of(record->tenant, record->key);
            if (auto aside = set_aside(path, why); !aside) return aside;
        } else {
            by_place[folder_of(record->tenant, record->key)].push_back({path, record->rev});
        }
    }
    std::vector<std::string> obsolete;
    for (auto& [place, remains] : by_place) {
        std::sort(remains.begin(), remains.end(), [](const auto& a, const auto& b) { return a.rev > b.rev; });
        if (auto settled = settle_place(place, remains, obsolete); !settled) return settled;
    }
    // What is in place must be so on the disk before anything older goes.
    if (auto synced = sync_folder(root_, tenant); !synced) return synced;
    for (const auto& path : obsolete)
        clean(path);
    return {};
}

/// @p remains: newest first. What may be deleted once the folder is synchronised goes to @p obsolete.
result<> recovery::settle_place(const std::string& place, const std::vector<replaced>& remains,
                                std::vector<std::string>& obsolete) {
    const auto in_place = read_record(place);
    if (!in_place && !is_damage(in_place.error())) return refusal(in_place.error());
    if (exists(root_, place) && (!in_place || folder_of(in_place->tenant, in_place->key) != place)) {
        // An operator must decide which of them is the image. read_image() sets `place` aside, too.
        for (const auto& one : remains)
            if (auto aside = set_aside(one.path, "it is a version of " + place + ", which is damaged");
                !aside)
                return aside;
        return {};
    }
    const auto& newest = remains.front();
    const bool is_newer = !in_place || in_place->rev < newest.rev;
    if (is_newer) {
        if (in_place)
            if (auto aside = set_aside(place, "there is a newer version of it, " + newest.path); !aside)
                return aside;
        if (auto renamed = rename_new(root_, newest.path, place); !renamed) return refusal(renamed.error());
        log(log_level::info, "restored " + place + "; its replacement was interrupted by a crash");
    }
    for (std::size_t i = is_newer ? 1 : 0; i < remains.size(); ++i)
        obsolete.push_back(remains[i].path);
    return {};
}

/// Where folders cannot be exchanged, a save that keeps what it replaces renames that first. Whether it was
/// put back, since the new version did not follow.
result<bool> recovery::settle_kept(const std::string& tenant, const std::string& name,
                                   const kept_facts& facts) {
    // Without a log it is unknown whether the save was interrupted; the version then stays a kept one.
    if (facts.is_copy || facts.is_erased || !logged_ || facts.kept_rev <= *logged_) return false;
    const auto path = tenant + '/' + name;
    const auto record = read_record(path);
    if (!record && !is_damage(record.error())) return refusal(record.error());
    if (!record || to_string(record->tenant) != tenant || record->rev >= facts.kept_rev) return false;
    const auto place = folder_of(record->tenant, record->key);
    if (exists(root_, place)) return false;
    if (auto renamed = rename_new(root_, path, place); !renamed) return refusal(renamed.error());
    log(log_level::info, "restored " + place + "; its replacement was interrupted by a crash");
    if (auto synced = sync_folder(root_, tenant); !synced) return synced.error();
    return true;
}

}  // namespace gallery::file_store
