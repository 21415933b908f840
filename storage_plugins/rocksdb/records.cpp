// SPDX-License-Identifier: Apache-2.0
#include "records.hpp"

#include "codec.hpp"

namespace gallery::rocks {

namespace {

error unreadable(std::string_view key, std::string_view why) {
    return {errc::corrupt, "The record of " + describe_image(key) + " cannot be read (" + std::string(why) +
                               "). Restore the store from a backup."};
}

}  // namespace

std::optional<result<record_ptr>> load_record(const engine& from, std::string_view key, engine::reach how,
                                              const snapshot_ptr& at) {
    rocksdb::PinnableSlice value;
    const auto status = from.get(family::records, key, value, how, at);
    if (status.IsNotFound()) return result<record_ptr>(record_ptr());
    if (how == engine::reach::memory && status.IsIncomplete()) return std::nullopt;
    if (status.IsCorruption()) return result<record_ptr>(unreadable(key, status.ToString()));
    if (!status.ok())
        return result<record_ptr>(to_error(status, "reading the record of " + describe_image(key)));
    auto record = decode_record(key, view(value));
    if (!record) return result<record_ptr>(unreadable(key, "it does not match its checksum"));
    return result<record_ptr>(std::move(record));
}

std::string describe_image(std::string_view record_key) {
    if (record_key.size() < id_size) return "an image with a malformed key";
    return "image \"" + std::string(record_key.substr(id_size)) + "\" of tenant " +
           to_string(id_from<tenant_id>(record_key));
}

std::uint64_t memory_of(const image_record& record) noexcept {
    std::uint64_t tags = 0;
    for (const auto& tag : record.tags)
        tags += sizeof tag + tag.capacity();
    return tags + sizeof record + record.key.capacity() + record.title.capacity() +
           record.file_name.capacity() + record.public_key.capacity() +
           record.original.media_type.capacity() + record.preview.media_type.capacity() + 64;
}

}  // namespace gallery::rocks
