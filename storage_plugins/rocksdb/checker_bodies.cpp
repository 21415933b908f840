// SPDX-License-Identifier: Apache-2.0
// The check that each record has its bytes, and that all bytes have a record.
#include "checker.hpp"

#include "codec.hpp"
#include "records.hpp"

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

}  // namespace gallery::rocks
