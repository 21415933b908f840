// SPDX-License-Identifier: Apache-2.0
// The order of the check, and what is counted: records, kept versions, counters, usage, documents, changes.
#include "checker.hpp"

#include "codec.hpp"
#include "records.hpp"
#include "usage.hpp"

#include <gallery/kit/rules.hpp>

#include <utility>

namespace gallery::rocks {
namespace {

constexpr std::size_t most_problems = 1000;

void add(usage_figures& sum, const image_record& record) {
    const auto one = kit::figures_of(record);
    sum.count += one.count;
    sum.original_bytes += one.original_bytes;
    sum.preview_bytes += one.preview_bytes;
}

}  // namespace

std::string checker::describe_version(const image_record& record) {
    return "version " + std::to_string(record.content_rev) + " of " +
           describe_image(record_key(record.tenant, record.key));
}

void checker::problem(std::string text) {
    if (report_.problems.size() < most_problems) report_.problems.push_back(std::move(text));
}

engine::cursor checker::all_of(family which) const {
    return engine_.iterate(which, {}, engine::reach::disk_aside, at_);
}

std::uint64_t checker::bodies_of(const image_record& record) noexcept {
    return record.preview_is_original ? 1 : 2;
}

result<check_report> checker::run() {
    for (const auto step :
         {&checker::count_records, &checker::check_kept, &checker::check_index, &checker::check_lookups,
          &checker::check_bodies, &checker::check_body_files, &checker::check_counters, &checker::check_usage,
          &checker::check_documents_and_changes, &checker::check_files})
        if (auto done = (this->*step)(); !done) return done.error();
    return std::move(report_);
}

result<record_ptr> checker::record_at(std::string_view key) const {
    return *load_record(engine_, key, engine::reach::disk_aside, at_);
}

result<record_ptr> checker::record_with(image_id id) const {
    rocksdb::PinnableSlice key;
    const auto status = engine_.get(family::lookup, id_lookup_key(id), key, engine::reach::disk_aside, at_);
    if (status.IsNotFound()) return record_ptr();
    if (!status.ok()) return to_error(status, "looking an image up");
    return record_at(view(key));
}

result<void> checker::count_records() {
    auto at = all_of(family::records);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        const auto record = decode_record(at.key(), at.value());
        if (!record) {
            problem("The record of " + describe_image(at.key()) +
                    " is damaged. Restore the store from a backup.");
            named_.emplace(at.key());
            continue;
        }
        count(*record);
    }
    if (at->status().IsCorruption()) return count_records_by_the_lists();
    if (!at->status().ok()) return to_error(at->status(), "checking the records");
    return {};
}

// An iterator ends at a block that cannot be read; asked for one by one, all other records are there.
result<void> checker::count_records_by_the_lists() {
    problem(
        "A part of the records cannot be read, so the other records were not checked for missing entries.");
    records_end_early_ = true;
    report_.records = expected_bodies_ = expected_lookups_ = 0;
    counted_.clear();
    usage_.clear();
    auto at = all_of(family::index);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        const auto key = parse_index_key(at.key());
        if (!key || key->property_letter != static_cast<char>(property::resource_key)) continue;
        const auto record = record_at(record_key(key->tenant, at.value()));
        if (!record && record.error().code == errc::corrupt) continue;
        if (!record) return record.error();
        if (*record) count(**record);
    }
    if (!at->status().ok()) return to_error(at->status(), "checking the lists");
    return {};
}

void checker::count(const image_record& record) {
    ++report_.records;
    ++counted_[counter_key(record.tenant, record.sub_type)];
    expected_bodies_ += bodies_of(record);
    expected_lookups_ += record.public_key.empty() ? 2 : 3;
    add(usage_[record.tenant].images, record);
}

result<void> checker::for_each_kept(const std::function<result<void>(const kept_version&)>& found) {
    auto at = engine_.iterate_prefix(family::lookup, "v", engine::reach::disk_aside, at_);
    for (at->SeekToFirst(); at->Valid(); at->Next())
        if (const auto version = decode_kept(at.key(), at.value()))
            if (auto done = found(*version); !done) return done;
    if (!at->status().ok()) return to_error(at->status(), "checking the kept versions");
    return {};
}

result<void> checker::check_kept() {
    auto at = engine_.iterate_prefix(family::lookup, "v", engine::reach::disk_aside, at_);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        const auto version = decode_kept(at.key(), at.value());
        if (!version) {
            problem("The record of a kept version is damaged. Restore the store from a backup.");
            continue;
        }
        ++report_.kept_versions;
        expected_bodies_ += bodies_of(*version->record);
        expected_lookups_ += 4;
        add(usage_[version->record->tenant].kept, *version->record);
    }
    if (!at->status().ok()) return to_error(at->status(), "checking the kept versions");
    return {};
}

result<void> checker::check_counters() {
    auto at =
        engine_.iterate_prefix(family::meta, std::string(counter_prefix), engine::reach::disk_aside, at_);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        const std::string key(at.key());
        const auto stored = decode_number(at.value());
        const auto found = counted_.find(key);
        const std::uint64_t counted = found == counted_.end() ? 0 : found->second;
        if (found != counted_.end()) counted_.erase(found);
        if (stored && *stored == counted) continue;
        const std::string tenant =
            key.size() >= counter_prefix.size() + id_size
                ? to_string(id_from<tenant_id>(std::string_view(key).substr(counter_prefix.size())))
                : std::string("?");
        problem("The number of images of tenant " + tenant + " is stored as " +
                (stored ? std::to_string(*stored) : std::string("something unreadable")) +
                ", but there are " + std::to_string(counted) + ".");
    }
    if (!at->status().ok()) return to_error(at->status(), "checking the counters");
    for (const auto& [key, counted] : counted_)
        problem("The number of images of tenant " +
                to_string(id_from<tenant_id>(std::string_view(key).substr(counter_prefix.size()))) +
                " is not stored, but there are " + std::to_string(counted) + ".");
    return {};
}

result<void> checker::check_usage() {
    if (records_end_early_) return {};
    auto counted = usage_;
    const auto differs = [this](const tenant_id& tenant) {
        problem("The usage of tenant " + to_string(tenant) +
                " is not the sum over its images and kept versions.");
    };
    const auto compare = [&](const tenant_id& tenant, const tenant_usage& stored) {
        const auto found = counted.find(tenant);
        if (stored != (found == counted.end() ? tenant_usage{} : found->second)) differs(tenant);
        if (found != counted.end()) counted.erase(found);
    };
    if (auto read = for_each_usage(engine_, at_, compare); !read) return read.error();
    for (const auto& [tenant, missing] : counted)
        if (missing != tenant_usage{}) differs(tenant);
    return {};
}

result<void> checker::check_documents_and_changes() {
    auto documents = all_of(family::documents);
    for (documents->SeekToFirst(); documents->Valid(); documents->Next()) {
        ++report_.documents;
        if (decode_document(documents.key(), documents.value())) continue;
        std::string name(documents.key());
        if (const auto split = name.find('\0'); split != std::string::npos) name[split] = '/';
        problem("The document " + name + " is damaged. Restore it from a backup.");
    }
    if (!documents->status().ok()) return to_error(documents->status(), "checking the documents");
    auto changes = all_of(family::changes);
    for (changes->SeekToFirst(); changes->Valid(); changes->Next())
        if (!decode_change(changes.key(), changes.value()))
            problem(
                "An entry of the change feed is damaged. Restart the server, so that no part of it uses the "
                "entry.");
    if (!changes->status().ok()) return to_error(changes->status(), "checking the change feed");
    return {};
}

}  // namespace gallery::rocks
