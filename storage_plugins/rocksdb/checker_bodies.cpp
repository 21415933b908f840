// SPDX-License-Identifier: Apache-2.0
// The check that each record has its bytes, and that all bytes have a record.
#include "checker.hpp"

#include "codec.hpp"
#include "records.hpp"

#include <gallery/kit/open_files.hpp>

#include <string>
#include <utility>

namespace gallery::rocks {

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
    if (auto done = check_references(right); !done) return done;
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

result<std::string> checker::fault_of(const body_file& file, revision content_rev, std::uint64_t size) const {
    const auto opened = files_.open_to_read(file);
    if (opened) {
        const auto state = kit::state_of(opened->get());
        if (!state) return error{errc::io_error, "The file of an image cannot be looked at."};
        if (state->size == size) return std::string();
        return "has " + std::to_string(state->size) + " bytes instead of " + std::to_string(size);
    }
    if (opened.error().code != errc::not_found) return opened.error();
    const auto now = files_.find(file.id, content_rev, file.which, engine::reach::disk_aside);
    if (!now) return now.error();
    return *now == file ? std::string("is missing") : std::string();
}

/// Bodies in files: each reference belongs to a record, and its file has the right length.
result<void> checker::check_references(std::uint64_t& right) {
    constexpr std::size_t key_size = 1 + id_size + 9;
    auto at = engine_.iterate_prefix(family::lookup, "f", engine::reach::disk_aside, at_);
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        ++report_.index_entries;
        const std::string_view key = at.key();
        const auto number = decode_number(at.value());
        record_ptr record;
        revision content_rev = 0;
        body_file file;
        if (key.size() == key_size && number) {
            content_rev = read_big_endian(key.substr(1 + id_size));
            file = {*number, id_from<image_id>(key.substr(1)), static_cast<representation>(key.back())};
            auto found = owner_of_bytes(file.id, content_rev);
            if (!found && found.error().code == errc::corrupt) continue;  // the lists named it
            if (!found) return found.error();
            record = std::move(*found);
        }
        const bool wanted =
            record && (file.which == representation::original ||
                       (file.which == representation::preview && !record->preview_is_original));
        if (!wanted) {
            problem("An entry for a file of an image belongs to no record.");
            continue;
        }
        ++right;
        const auto fault = fault_of(file, content_rev, record->descriptor(file.which).size);
        if (!fault) return fault.error();
        if (!fault->empty())
            problem(std::string(file.which == representation::original ? "The bytes" : "The preview") +
                    " of " + describe_image(record_key(record->tenant, record->key)) + ": the file " +
                    body_files::path_of(file) + ' ' + *fault + ". Restore it from a backup.");
    }
    if (!at->status().ok()) return to_error(at->status(), "checking the files of images");
    return {};
}

/// Each file belongs to a body, or is being removed.
result<void> checker::check_body_files() {
    const auto is_known = [this](const body_file& file) -> result<bool> {
        const auto referred_to = files_.is_referred_to(file);
        if (!referred_to || *referred_to) return referred_to;
        rocksdb::PinnableSlice removal;
        const auto status =
            engine_.get(family::lookup, removal_key(file.number), removal, engine::reach::disk_aside);
        if (!status.ok() && !status.IsNotFound()) return to_error(status, "checking the files of images");
        return status.ok();
    };
    return files_.for_each(
        [&](const body_file& file, std::uint64_t size) -> result<void> {
            const auto known = is_known(file);
            if (!known) return known.error();
            // Without either entry a removal has ended.
            if (!*known && files_.open_to_read(file))
                problem("The file " + body_files::path_of(file) + " of " + std::to_string(size) +
                        " bytes belongs to no image. Move it away.");
            return {};
        },
        [this](const std::string& path) {
            problem("The file or folder " + path + " does not belong to the store. Move it away.");
        });
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
        if (status.IsNotFound()) {
            const auto file =
                files_.find(record.id, record.content_rev, which, engine::reach::disk_aside, at_);
            if (!file) return file.error();
            if (*file) continue;  // check_references() compares it
        }
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

}  // namespace gallery::rocks
