// check(): the index in memory against the tree.
#include "filesystem_store.hpp"
#include "index/rules.hpp"
#include "layout.hpp"
#include "record_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>
#include <set>
#include <utility>

namespace gallery::file_store {
namespace {

constexpr std::size_t most_problems = 1000;
constexpr std::size_t records_a_step = 500;

bool is_own_name(const std::string& name) {
    return name.starts_with('.');
}

}  // namespace

std::vector<std::string> filesystem_store::differences(const image_record& record) {
    std::vector<std::string> found;
    const auto name = store_index::describe(record.tenant, record.key);
    const auto folder = folder_of(record.tenant, record.key);
    const auto text = read_file(root_.get(), folder + '/' + std::string(record_name));
    const auto on_disk = text ? parse_record_text(*text) : result<image_record>(text.error());
    if (!on_disk)
        found.push_back("The record of " + name + " in " + folder + " cannot be read: " +
                        on_disk.error().message + ". Restore the folder from a backup.");
    else if (*on_disk != record)
        found.push_back("The record of " + name + " in " + folder +
                        " is not the one in memory; somebody else changed it. Restart the server.");
    const auto expect = [&](bool preview, std::uint64_t size) {
        const auto path = folder + '/' + body_name(record, preview);
        struct stat info {};
        if (::fstatat(root_.get(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
            found.push_back(path + " of " + name +
                            " is missing. Restore it from a backup, or upload the image again.");
        else if (static_cast<std::uint64_t>(info.st_size) != size)
            found.push_back(path + " of " + name + " has " + std::to_string(info.st_size) +
                            " bytes instead of " + std::to_string(size) +
                            ". Restore it from a backup, or upload the image again.");
    };
    expect(false, record.original.size);
    if (!record.preview_is_original) expect(true, record.preview.size);
    return found;
}

std::optional<std::string> filesystem_store::document_difference(const document& doc) {
    const auto path = accounts_of(doc.kind) + '/' + document_name(doc.id);
    const auto text = read_file(root_.get(), path);
    const auto on_disk = text ? parse_document_text(*text) : result<document>(text.error());
    if (!on_disk) return path + " cannot be read: " + on_disk.error().message + ". Restore it from a backup.";
    if (*on_disk != doc)
        return path + " is not what is in memory; somebody else changed it. Restart the server.";
    return std::nullopt;
}

/// Folders in those of tenants that hold no image of the index, at this moment. Files there are nobody's
/// images: the start says that it leaves them alone.
result<std::vector<std::string>> filesystem_store::unknown_folders() {
    std::vector<std::string> unknown;
    const auto tenants = list_folder(root_.get(), ".");
    if (!tenants) return tenants.error();
    for (const auto& tenant : *tenants) {
        const auto id = parse_uuid(tenant.name);
        if (!id || !tenant.is_folder) continue;
        std::set<std::string> known;
        std::string cursor;
        do {
            const auto page = catalog_.scan(tenant_id{*id}, cursor, records_a_step);
            if (!page) break;
            for (const auto& record : page->items)
                known.insert(folder_name(record->key));
            cursor = page->cursor;
        } while (!cursor.empty());
        const auto entries = list_folder(root_.get(), tenant.name);
        if (!entries) return entries.error();
        for (const auto& entry : *entries)
            if (entry.is_folder && !is_own_name(entry.name) && !known.contains(entry.name))
                unknown.push_back(tenant.name + '/' + entry.name);
    }
    return unknown;
}

task<result<check_report>> filesystem_store::check() {
    check_report report;
    const auto add = [&](std::string problem) {
        if (report.problems.size() < most_problems) report.problems.push_back(std::move(problem));
    };
    report.index_entries = catalog_.verify(report.problems);

    std::string cursor;
    do {
        auto compare = [this, cursor]() -> std::pair<scan_page<record_ptr>, std::vector<record_ptr>> {
            auto page = catalog_.scan(std::nullopt, cursor, records_a_step);
            if (!page) return {};
            std::vector<record_ptr> suspects;
            for (const auto& record : page->items)
                if (!differences(*record).empty()) suspects.push_back(record);
            return {std::move(*page), std::move(suspects)};
        };
        const auto step = co_await offload(pool_, std::move(compare));
        report.records += step.first.items.size();
        cursor = step.first.cursor;
        for (const auto& suspect : step.second) {
            // It may just have been in the middle of a write: look again while none can be.
            const auto lane = co_await lanes_.acquire(folder_of(suspect->tenant, suspect->key));
            const auto now = catalog_.find(suspect->tenant, suspect->key);
            if (!now) continue;
            auto look = [this, record = now.record] { return differences(*record); };
            for (auto& problem : co_await offload(pool_, std::move(look)))
                add(std::move(problem));
        }
    } while (!cursor.empty());

    auto search = [this] { return unknown_folders(); };
    const auto strays = co_await offload(pool_, std::move(search));
    if (!strays) co_return strays.error();
    for (const auto& path : *strays) {
        const auto lane = co_await lanes_.acquire(path);
        auto look = [this, path] {
            const auto text = read_file(root_.get(), path + '/' + std::string(record_name));
            const auto record = text ? parse_record_text(*text) : result<image_record>(text.error());
            const bool is_known = record && catalog_.find(record->tenant, record->key) &&
                                  folder_of(record->tenant, record->key) == path;
            return is_known || !exists(root_.get(), path);
        };
        if (!co_await offload(pool_, std::move(look)))
            add(path + " is in the tree and not in the index. Restart the server, which reads it.");
    }

    auto look_aside = [this] { return set_aside_entries(); };
    auto aside = co_await offload(pool_, std::move(look_aside));
    if (!aside) co_return aside.error();
    for (auto& problem : *aside)
        add(std::move(problem));

    auto documents = [this] {
        std::vector<document> suspects;
        std::uint64_t count = 0;
        for (const auto& doc : documents_.all()) {
            ++count;
            if (document_difference(doc)) suspects.push_back(doc);
        }
        return std::pair(count, std::move(suspects));
    };
    const auto looked = co_await offload(pool_, std::move(documents));
    report.documents = looked.first;
    for (const auto& suspect : looked.second) {
        const auto lane =
            co_await lanes_.acquire(accounts_of(suspect.kind) + '/' + document_name(suspect.id));
        const auto now = documents_.find(suspect.kind, suspect.id);
        if (!now) continue;
        auto look = [this, doc = *now] { return document_difference(doc); };
        auto problem = co_await offload(pool_, std::move(look));
        if (problem) add(std::move(*problem));
    }
    co_return report;
}

}  // namespace gallery::file_store
