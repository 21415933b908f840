// SPDX-License-Identifier: Apache-2.0
#include "checker.hpp"

#include "codec.hpp"
#include "records.hpp"
#include "usage.hpp"

#include <gallery/kit/rules.hpp>

#include <rocksdb/convenience.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/metadata.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace gallery::rocks {
namespace {

constexpr std::size_t most_problems = 1000;
constexpr const char* rebuild_advice = " Export the image and import it again.";

std::unique_ptr<rocksdb::FileChecksumGenerator> new_generator() {
    static const auto factory = rocksdb::GetFileChecksumGenCrc32cFactory();
    return factory->CreateFileChecksumGenerator({});
}

const std::string& checksum_name() {
    static const std::string name = new_generator()->Name();
    return name;
}

/// Why a file does not have this checksum; empty where it does.
std::string difference(const std::string& path, const std::string& checksum) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::string("it cannot be opened: ") + std::strerror(errno);
    const auto generator = new_generator();
    std::vector<char> buffer(1ULL << 20);
    ssize_t size = 0;
    while ((size = ::read(file, buffer.data(), buffer.size())) > 0)
        generator->Update(buffer.data(), static_cast<std::size_t>(size));
    const int number = errno;
    ::close(file);
    if (size < 0) return std::string("it cannot be read: ") + std::strerror(number);
    generator->Finalize();
    return generator->GetChecksum() == checksum ? "" : "its checksum differs";
}

void add(usage_figures& sum, const image_record& record) {
    const auto one = kit::figures_of(record);
    sum.count += one.count;
    sum.original_bytes += one.original_bytes;
    sum.preview_bytes += one.preview_bytes;
}

std::string describe_version(const image_record& record) {
    return "version " + std::to_string(record.content_rev) + " of " +
           describe_image(record_key(record.tenant, record.key));
}

}  // namespace

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
          &checker::check_bodies, &checker::check_counters, &checker::check_usage,
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

result<void> checker::check_index() {
    auto at = all_of(family::index);
    std::uint64_t right = 0;
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        ++report_.index_entries;
        const auto key = parse_index_key(at.key());
        const auto image_key = key ? image_key_of(key->property_letter, at.value()) : std::nullopt;
        if (!image_key) {
            problem("A list has an entry that cannot be read.");
            continue;
        }
        const std::string record_name = record_key(key->tenant, *image_key);
        const auto record = record_at(record_name);
        if (!record && record.error().code == errc::corrupt) {
            // Once for each image, of which there is one entry in this list.
            if (key->property_letter == static_cast<char>(property::resource_key)) {
                if (!named_.contains(record_name)) problem(record.error().message);
                ++counted_[counter_key(key->tenant, key->sub_type)];
            }
            continue;
        }
        if (!record) return record.error();
        bool expected = false;
        if (*record)
            for (const auto& entry : index_entries(**record))
                if (entry.key == at.key() && entry.value == at.value()) expected = true;
        if (expected)
            ++right;
        else
            problem(std::string("The list by '") + key->property_letter + "' has an entry for " +
                    describe_image(record_name) + " that differs from its record." + rebuild_advice);
    }
    if (!at->status().ok()) return to_error(at->status(), "checking the lists");
    // Keys are unique, so where all entries are right and as many as there should be, none is missing.
    if (right != report_.records * all_properties.size() && !records_end_early_)
        return find_missing_entries();
    return {};
}

result<void> checker::find_missing_entries() {
    auto at = all_of(family::records);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        const auto record = decode_record(at.key(), at.value());
        if (!record) continue;
        for (const auto& entry : index_entries(*record)) {
            rocksdb::PinnableSlice value;
            const auto status = engine_.get(family::index, entry.key, value, engine::reach::disk_aside, at_);
            if (status.ok()) continue;
            if (!status.IsNotFound()) return to_error(status, "checking the lists");
            problem(std::string("The list by '") + entry.key[index_prefix_size - 1] + "' lacks " +
                    describe_image(at.key()) + "." + rebuild_advice);
        }
    }
    if (!at->status().ok()) return to_error(at->status(), "checking the lists");
    return {};
}

/// Whether an entry of the lookups leads to what has it. Error: corrupt where that cannot be read, which is
/// named elsewhere.
result<bool> checker::is_right_lookup(std::string_view key, std::string_view value) {
    const char letter = key.empty() ? '\0' : key.front();
    if (letter == 'v') return decode_kept(key, value).has_value();
    if (letter == 'o' || letter == 't' || letter == 'k') {
        rocksdb::PinnableSlice stored;
        const auto status = engine_.get(family::lookup, value, stored, engine::reach::disk_aside, at_);
        if (status.IsNotFound()) return false;
        if (!status.ok()) return to_error(status, "checking the kept versions");
        const auto version = decode_kept(value, view(stored));
        if (!version) return error{errc::corrupt, "A kept version cannot be read."};
        const auto prefix = letter == 'o'   ? kept_order_prefix()
                            : letter == 't' ? kept_order_prefix(version->record->tenant)
                                            : kept_order_prefix(version->record->id);
        return kept_order_key(prefix, version->kept_rev) == key;
    }
    const auto record = record_at(value);
    if (!record) return record.error();
    if (!*record) return false;
    return (letter == 'i'   ? id_lookup_key((*record)->id)
            : letter == 'p' ? public_lookup_key((*record)->public_key)
                            : content_lookup_key(**record)) == key;
}

result<void> checker::check_lookups() {
    auto at = all_of(family::lookup);
    std::uint64_t right = 0;
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        const auto is_right = is_right_lookup(at.key(), at.value());
        if (!is_right && is_right.error().code == errc::corrupt) continue;  // the lists named it
        if (!is_right) return is_right.error();
        ++report_.index_entries;
        if (*is_right) {
            ++right;
            continue;
        }
        const char letter = at.key().empty() ? '\0' : at.key().front();
        if (letter == 'v') continue;  // named already
        if (letter == 'o' || letter == 't' || letter == 'k')
            problem("A list of kept versions contains an entry that does not match a kept version.");
        else
            problem(std::string(letter == 'i'   ? "An id"
                                : letter == 'p' ? "A public key"
                                                : "A hash of content") +
                    " leads to " + describe_image(at.value()) + ", but the record does not contain it." +
                    rebuild_advice);
    }
    if (!at->status().ok()) return to_error(at->status(), "checking ids and public keys");
    if (right != expected_lookups_ && !records_end_early_) return find_missing_lookups();
    return {};
}

result<void> checker::find_missing_lookups() {
    auto at = all_of(family::records);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        const auto record = decode_record(at.key(), at.value());
        if (!record) continue;
        for (const auto& name : {id_lookup_key(record->id), public_lookup_key(record->public_key),
                                 content_lookup_key(*record)}) {
            if (name == "p") continue;
            rocksdb::PinnableSlice value;
            const auto status = engine_.get(family::lookup, name, value, engine::reach::disk_aside, at_);
            if (!status.ok() && !status.IsNotFound()) return to_error(status, "checking ids and public keys");
            if (status.IsNotFound() || view(value) != at.key())
                problem(std::string(name.front() == 'i'   ? "The id"
                                    : name.front() == 'p' ? "The public key"
                                                          : "The hash of the content") +
                        " of " + describe_image(at.key()) + " has no entry that leads to it." +
                        rebuild_advice);
        }
    }
    if (!at->status().ok()) return to_error(at->status(), "checking ids and public keys");
    return for_each_kept([this](const kept_version& version) -> result<void> {
        const auto& record = *version.record;
        for (auto prefix :
             {kept_order_prefix(), kept_order_prefix(record.tenant), kept_order_prefix(record.id)}) {
            rocksdb::PinnableSlice value;
            const auto status =
                engine_.get(family::lookup, kept_order_key(std::move(prefix), version.kept_rev), value,
                            engine::reach::disk_aside, at_);
            if (!status.ok() && !status.IsNotFound()) return to_error(status, "checking the kept versions");
            if (status.IsNotFound() || view(value) != kept_key(record.id, record.content_rev))
                problem("A list of kept versions does not contain " + describe_version(record) + ".");
        }
        return {};
    });
}

result<void> checker::check_bodies() {
    constexpr std::size_t key_size = id_size + 9;
    auto at = all_of(family::bodies);
    std::uint64_t right = 0;
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        const std::string_view key = at.key();
        record_ptr record;
        if (key.size() == key_size) {
            auto found = owner_of_bytes(id_from<image_id>(key), read_big_endian(key.substr(id_size)));
            if (!found && found.error().code == errc::corrupt) continue;  // the lists named it
            if (!found) return found.error();
            record = std::move(*found);
        }
        const auto which = static_cast<representation>(key.empty() ? '\0' : key.back());
        const bool wanted = record && (which == representation::original ||
                                       (which == representation::preview && !record->preview_is_original));
        if (!wanted) {
            problem("Bytes of " + std::to_string(at.value().size()) + " bytes belong to no record.");
            continue;
        }
        ++right;
        const auto size = record->descriptor(which).size;
        if (at.value().size() != size)
            problem("The bytes of " + describe_image(record_key(record->tenant, record->key)) +
                    " have the length " + std::to_string(at.value().size()) + " instead of " +
                    std::to_string(size) + ". Restore the image from a backup.");
    }
    // An iterator ends at the first value that cannot be read, so then each record is asked for its own.
    if (records_end_early_ && at->status().IsCorruption()) {
        problem("A part of the bytes cannot be read (" + at->status().ToString() + ").");
        return {};
    }
    if ((right != expected_bodies_ || !at->status().ok()) && !records_end_early_)
        return find_missing_bodies();
    if (!at->status().ok()) return to_error(at->status(), "checking the bytes");
    return {};
}

result<record_ptr> checker::owner_of_bytes(image_id id, revision content_rev) const {
    auto record = record_with(id);
    if (!record) return record;
    if (*record && (*record)->id == id && (*record)->content_rev == content_rev) return record;
    rocksdb::PinnableSlice value;
    const auto key = kept_key(id, content_rev);
    const auto status = engine_.get(family::lookup, key, value, engine::reach::disk_aside, at_);
    if (status.IsNotFound()) return record_ptr();
    if (!status.ok()) return to_error(status, "checking the bytes");
    const auto version = decode_kept(key, view(value));
    if (!version) return error{errc::corrupt, "A kept version cannot be read."};
    return version->record;
}

result<void> checker::find_missing_bodies_of(const image_record& record, const std::string& name) {
    for (const auto which : {representation::original, representation::preview}) {
        if (which == representation::preview && record.preview_is_original) continue;
        rocksdb::PinnableSlice value;
        const auto status = engine_.get(family::bodies, body_key(record.id, record.content_rev, which), value,
                                        engine::reach::disk_aside, at_);
        if (status.ok()) continue;
        const std::string what =
            std::string(which == representation::original ? "The bytes of " : "The preview of ") + name;
        if (status.IsNotFound())
            problem(what + " are missing. Restore the image from a backup.");
        else
            problem(what + " cannot be read (" + status.ToString() + "). Restore the image from a backup.");
    }
    return {};
}

result<void> checker::find_missing_bodies() {
    auto at = all_of(family::records);
    for (at->SeekToFirst(); at->Valid(); at->Next())
        if (const auto record = decode_record(at.key(), at.value()))
            if (auto done = find_missing_bodies_of(*record, describe_image(at.key())); !done) return done;
    if (!at->status().ok()) return to_error(at->status(), "checking the bytes");
    return for_each_kept([this](const kept_version& version) {
        return find_missing_bodies_of(*version.record, describe_version(*version.record));
    });
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

result<void> checker::check_files() {
    std::vector<rocksdb::LiveFileStorageInfo> files;
    rocksdb::LiveFilesStorageInfoOptions how;
    how.include_checksum_info = true;
    how.wal_size_for_flush = ~std::uint64_t{0};  // never: a check writes nothing
    auto& db = engine_.db();
    if (const auto kept = db.DisableFileDeletions(); !kept.ok()) {
        if (kept.IsNotSupported()) return {};  // open for reading only
        return to_error(kept, "checking the files");
    }
    const auto listed = db.GetLiveFilesStorageInfo(how, &files);
    for (const auto& file : files) {
        if (!listed.ok()) break;
        if (file.file_type != rocksdb::kTableFile && file.file_type != rocksdb::kBlobFile) continue;
        const std::string path = file.directory + "/" + file.relative_filename;
        std::string wrong;
        if (file.file_checksum_func_name == checksum_name())
            wrong = difference(path, file.file_checksum);
        else if (file.file_type == rocksdb::kTableFile)
            // Written by a version that recorded no checksums of files: tables have one for each block.
            if (const auto sound =
                    rocksdb::VerifySstFileChecksum(db.GetOptions(), rocksdb::EnvOptions(),
                                                   engine::read_options(engine::reach::disk_aside), path);
                !sound.ok())
                wrong = sound.ToString();
        if (!wrong.empty())
            problem("RocksDB's file " + file.relative_filename + " is damaged (" + wrong +
                    "). Restore the store from a backup.");
    }
    db.EnableFileDeletions(false).PermitUncheckedError();
    if (!listed.ok()) return to_error(listed, "checking the files");
    return {};
}

}  // namespace gallery::rocks
