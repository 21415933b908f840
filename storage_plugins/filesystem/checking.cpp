// SPDX-License-Identifier: Apache-2.0
// check(): the index in memory against the tree.
#include <gallery/kit/rules.hpp>
#include "filesystem_store.hpp"
#include "layout.hpp"
#include "record_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

namespace gallery::file_store {
namespace {

constexpr std::size_t most_problems = 1000;
constexpr std::size_t records_a_step = 500;

bool is_own_name(const std::string& name) {
    return name.starts_with('.');
}

}  // namespace

/// Of a record, current or kept, and its folder.
std::vector<std::string> filesystem_store::differences(const image_record& record,
                                                       const std::string& folder) {
    std::vector<std::string> found;
    const auto name = kit::describe(record.tenant, record.key);
    const auto text = read_file(root_.get(), folder + '/' + std::string(record_name));
    const auto on_disk = text ? parse_record_text(*text) : result<image_record>(text.error());
    if (!on_disk)
        found.push_back("The record of " + name + " in " + folder + " cannot be read: " +
                        on_disk.error().message + ". Restore the folder from a backup.");
    else if (*on_disk != record)
        found.push_back(
            "The record of " + name + " in " + folder +
            " differs from the one in memory, because another program changed it. Restart the server.");
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
        return path +
               " differs from the one in memory, because another program changed it. Restart the server.";
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

task<std::vector<std::string>> filesystem_store::check_kept(std::uint64_t& count) {
    std::vector<std::string> found;
    std::string cursor;
    do {
        auto compare = [this, cursor]() -> std::pair<scan_page<kept_version>, std::vector<kept_version>> {
            auto page = catalog_.kept(std::nullopt, kept_order::oldest_first, cursor, records_a_step);
            if (!page) return {};
            std::vector<kept_version> suspects;
            for (const auto& version : page->items)
                if (!differences(*version.record, folder_of(version)).empty()) suspects.push_back(version);
            return {std::move(*page), std::move(suspects)};
        };
        const auto step = co_await offload(pool_, std::move(compare));
        count += step.first.items.size();
        cursor = step.first.cursor;
        for (const auto& suspect : step.second) {
            const auto& record = *suspect.record;
            const auto lane = co_await lanes_.acquire(folder_of(record.tenant, record.key));
            if (!catalog_.find_kept(record.id, record.content_rev)) continue;
            auto look = [this, suspect] { return differences(*suspect.record, folder_of(suspect)); };
            for (auto& problem : co_await offload(pool_, std::move(look)))
                found.push_back("Kept version: " + std::move(problem));
        }
    } while (!cursor.empty());
    co_return found;
}

/// Compares two sums again while writes change them: they are wrong where both stay and differ.
std::vector<std::string> filesystem_store::wrong_usage() const {
    constexpr int same_result = 20;
    std::vector<std::string> found;
    for (const auto& tenant : catalog_.tenants()) {
        std::pair<tenant_usage, tenant_usage> before;
        for (int same = 0; same < same_result; ++same) {
            const std::pair now{usage_.usage(tenant), catalog_.count_usage(tenant)};
            if (now.first == now.second) break;
            if (now != before) same = 0;
            before = now;
            if (same + 1 < same_result) {
                // A commit may be between the catalog and the sums.
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
                continue;
            }
            found.push_back("The usage of the tenant " + to_string(tenant) +
                            " is not the sum over its images. Restart the server to compute it again.");
        }
    }
    return found;
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
                if (!differences(*record, folder_of(record->tenant, record->key)).empty())
                    suspects.push_back(record);
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
            auto look = [this, record = now.record] {
                return differences(*record, folder_of(record->tenant, record->key));
            };
            for (auto& problem : co_await offload(pool_, std::move(look)))
                add(std::move(problem));
        }
    } while (!cursor.empty());

    for (auto& problem : co_await check_kept(report.kept_versions))
        add(std::move(problem));
    auto add_up = [this] { return wrong_usage(); };
    for (auto& problem : co_await offload(pool_, std::move(add_up)))
        add(std::move(problem));

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
            add(path + " is on the disk and not in the index. Restart the server to read it.");
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
        // What is in a journal is on the disk as well.
        if (!now || open_groups_.contains(path_of(suspect))) continue;
        auto look = [this, doc = *now] { return document_difference(doc); };
        auto problem = co_await offload(pool_, std::move(look));
        if (problem) add(std::move(*problem));
    }
    co_return report;
}

}  // namespace gallery::file_store
