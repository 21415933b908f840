// SPDX-License-Identifier: Apache-2.0
// The check of the lists, and of the look-up of ids, public keys, contents and kept versions.
#include "checker.hpp"

#include "codec.hpp"
#include "records.hpp"

#include <string>
#include <utility>

namespace gallery::rocks {
namespace {

constexpr const char* rebuild_advice = " Export the image and import it again.";

}  // namespace

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
        const char letter = at.key().empty() ? '\0' : at.key().front();
        if (letter == 'f' || letter == 'd') continue;  // see check_references() and check_body_files()
        const auto is_right = is_right_lookup(at.key(), at.value());
        if (!is_right && is_right.error().code == errc::corrupt) continue;  // the lists named it
        if (!is_right) return is_right.error();
        ++report_.index_entries;
        if (*is_right) {
            ++right;
            continue;
        }
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

}  // namespace gallery::rocks
